// @ts-check
/**
 * Who leads among tabs, as one that follows sees it: channel, locks and timers are the test's.
 * Not for: real tabs (../tabs.test.mjs).
 */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { SharedConnection } from '../../../assets/client/shared.js';

const CHECK_MS = 10_000;
/** @type {any[]} */
let said = [];
/** What was asked for; `take` gives it. @type {{options: LockOptions, take: () => void}[]} */
let locks = [];
/** @type {any[]} */
let sockets = [];
/** @type {EventTarget & {hidden: boolean}} */
let page;
/** @type {SharedConnection} */
let connection;

class Channel {
  /** @param {unknown} frame */
  postMessage(frame) { said.push(frame); }
  close() {}
}

class Socket extends EventTarget {
  constructor() {
    super();
    sockets.push(this);
  }
  close() {}
}

const isLookedAt = () => page.dispatchEvent(new Event('visibilitychange'));
const steals = () => locks.filter(({ options }) => options.steal).length;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_000 });
  mock.method(performance, 'now', () => Date.now());
  [said, locks, sockets] = [[], [], []];
  page = Object.assign(new EventTarget(), { hidden: false });
  const fakes = {
    WebSocket: Socket,
    BroadcastChannel: Channel,
    document: page,
    navigator: {
      onLine: true,
      locks: { request: async (/** @type {string} */ _, /** @type {LockOptions} */ options, /** @type {() => void} */ take) => { locks.push({ options, take }); } },
    },
    location: { origin: 'https://shop.example' },
    addEventListener: page.addEventListener.bind(page),
  };
  for (const [name, value] of Object.entries(fakes)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  connection = new SharedConnection({});
  connection.open();
});

afterEach(() => {
  connection.close();
  mock.timers.reset();
  mock.restoreAll();
});

test('a leader that has had no time to answer keeps its place, one that does not answer loses it', () => {
  assert.deepEqual(said.map(({ type }) => type), ['ask']);
  isLookedAt();
  isLookedAt();
  assert.equal(steals(), 0);
  mock.timers.tick(CHECK_MS);
  assert.equal(steals(), 1);
});

test('stopped by the server it leads no more, and opens again', () => {
  locks[0].take();
  sockets[0].dispatchEvent(Object.assign(new Event('close'), { code: 4001, reason: '' }));
  assert.equal(connection.state, 'stopped');
  connection.open();
  locks[1].take();
  assert.deepEqual([sockets.length, connection.state], [2, 'connecting']);
});
