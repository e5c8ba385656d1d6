// @ts-check
/**
 * The widget's store: which toasts are visible, which wait, and for how long.
 * Not for: what is drawn of them (../browser.test.mjs).
 */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { FOLD_OVER, MIN_DURATION_MS, ToastStore } from '../../../assets/widget/store.js';

/** @type {ToastStore} */
let store;
let changes = 0;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  store = new ToastStore();
  changes = 0;
  store.addEventListener('change', () => (changes += 1));
});

afterEach(() => mock.timers.reset());

/**
 * @param {number} id
 * @param {{own?: boolean, nickname?: string}} [options]
 */
function add(id, { own = false, nickname = `buyer${id}` } = {}) {
  store.add({ id, nickname, goodsId: id, goodsName: `goods ${id}`, otherGoods: 0, at: 1_000 * id }, own);
}

/** @param {number} count */
const addUpTo = (count) => { for (let id = 1; id <= count; id += 1) add(id); };

/** @param {import('../../../assets/widget/store.js').Entry[]} entries */
const ids = (entries) => entries.map(({ orders }) => orders.map(({ id }) => id));

test('as many as there is room for are visible, the others wait in order', () => {
  addUpTo(5);
  assert.deepEqual(ids(store.visible), [[1], [2], [3]]);
  assert.deepEqual(ids(store.queue), [[4], [5]]);
});

test('a toast leaves after its duration, and the next one comes', () => {
  store.max = 1;
  addUpTo(2);
  mock.timers.tick(store.duration - 1);
  assert.deepEqual(ids(store.visible), [[1]]);
  mock.timers.tick(1);
  assert.deepEqual(ids(store.visible), [[2]]);
  mock.timers.tick(store.duration);
  assert.deepEqual(store.visible, []);
});

test('a duration that is too short or no number is not taken', () => {
  store.duration = 10;
  assert.equal(store.duration, MIN_DURATION_MS);
  store.duration = NaN;
  assert.ok(store.duration >= MIN_DURATION_MS);
  store.duration = 9_000;
  assert.equal(store.duration, 9_000);
});

test('an offset is shown once, also after its toast has left', () => {
  add(7);
  add(7);
  assert.deepEqual(ids(store.visible), [[7]]);
  store.dismiss('7');
  add(7);
  assert.deepEqual([store.visible, store.queue], [[], []]);
});

test('the reader\'s own order goes ahead of others that wait', () => {
  addUpTo(5);
  add(6, { own: true });
  assert.deepEqual(ids(store.queue), [[6], [4], [5]]);
});

test('too many that wait become one entry, newest first; the reader\'s own is not folded', () => {
  addUpTo(3 + FOLD_OVER);
  assert.equal(store.queue.length, FOLD_OVER);
  add(50, { own: true });
  const last = 3 + FOLD_OVER + 1;
  add(last);
  const expected = Array.from({ length: FOLD_OVER + 1 }, (_, n) => last - n);
  assert.deepEqual(ids(store.queue), [[50], expected]);
  // Later ones join the same entry, under the same key.
  const { key } = store.queue[1];
  add(last + 1);
  assert.deepEqual(ids(store.queue), [[50], [last + 1, ...expected]]);
  assert.equal(store.queue[1].key, key);
  assert.equal(store.queue[1].at, 1_000 * (last + 1));
  assert.equal(store.queue[1].away, false, 'the reader is there');
});

test('what is missed is collected, and more than a handful of it is one line', () => {
  store.pause('hidden');
  addUpTo(FOLD_OVER);
  assert.deepEqual([store.visible.length, store.queue.length], [0, FOLD_OVER]);
  add(50);
  assert.deepEqual([store.queue.length, store.queue[0].orders.length, store.queue[0].away], [1, FOLD_OVER + 1, true]);
  store.resume('hidden');
  assert.deepEqual([store.visible.length, store.queue.length], [1, 0]);
});

test('toasts of others keep their distance, the reader\'s own waits for nothing', () => {
  store.gap = 2_000;
  addUpTo(2);
  assert.deepEqual(ids(store.visible), [[1]]);
  add(50, { own: true });
  assert.deepEqual(ids(store.visible), [[1], [50]]);
  mock.timers.tick(1_999);
  assert.deepEqual(ids(store.visible), [[1], [50]]);
  mock.timers.tick(1);
  assert.deepEqual(ids(store.visible), [[1], [50], [2]]);
});

test('what the reader orders while toasts of others are to wait lets none of them in', () => {
  store.waitUntil(Date.now() + 2_000);
  add(1);
  add(50, { own: true });
  assert.deepEqual(ids(store.visible), [[50]]);
  mock.timers.tick(2_000);
  assert.deepEqual(ids(store.visible), [[50], [1]]);
});

test('a canceled order goes, wherever it is', () => {
  addUpTo(5);
  store.cancel(1);
  assert.deepEqual(ids(store.visible), [[2], [3], [4]]);
  store.cancel(5);
  assert.deepEqual(store.queue, []);
  assert.ok(changes > 0);
});

test('a fold loses only the order that was canceled, and its time with the newest', () => {
  addUpTo(3 + FOLD_OVER + 1);
  const newest = 3 + FOLD_OVER + 1;
  store.cancel(newest);
  assert.equal(store.queue[0].orders.length, FOLD_OVER);
  assert.equal(store.queue[0].at, 1_000 * (newest - 1));
  for (let id = 4; id < newest; id += 1) store.cancel(id);
  assert.deepEqual(store.queue, []);
});

test('a cancellation that comes before its order keeps the order away', () => {
  store.cancel(3);
  add(3);
  assert.deepEqual(store.visible, []);
});

test('timers stand still until every reason to pause is gone', () => {
  add(1);
  mock.timers.tick(2_000);
  store.pause('hover');
  store.pause('focus');
  mock.timers.tick(60_000);
  store.resume('hover');
  mock.timers.tick(60_000);
  assert.deepEqual(ids(store.visible), [[1]]);
  store.resume('focus');
  mock.timers.tick(store.duration - 2_000 - 1);
  assert.deepEqual(ids(store.visible), [[1]]);
  mock.timers.tick(1);
  assert.deepEqual(store.visible, []);
});

test('a resumed toast stays for at least a second', () => {
  add(1);
  mock.timers.tick(store.duration - 1);
  store.pause('hover');
  store.resume('hover');
  mock.timers.tick(999);
  assert.deepEqual(ids(store.visible), [[1]]);
  mock.timers.tick(1);
  assert.deepEqual(store.visible, []);
});

test('what appears during a pause gets its whole duration afterwards', () => {
  store.pause('hidden');
  add(1);
  mock.timers.tick(60_000);
  store.resume('hidden');
  mock.timers.tick(store.duration - 1);
  assert.deepEqual(ids(store.visible), [[1]]);
});

test('nothing new appears while a modal dialog is open', () => {
  store.pause('modal');
  add(1);
  assert.deepEqual([ids(store.visible), ids(store.queue), changes], [[], [[1]], 0]);
  store.resume('modal');
  assert.deepEqual(ids(store.visible), [[1]]);
});

test('cleared, it is empty, unpaused, and no timer is left', () => {
  addUpTo(5);
  store.pause('hover');
  store.clear();
  assert.deepEqual([store.visible, store.queue], [[], []]);
  const before = changes;
  mock.timers.tick(60_000);
  assert.equal(changes, before);
  add(9);
  mock.timers.tick(store.duration);
  assert.deepEqual(store.visible, []);
});
