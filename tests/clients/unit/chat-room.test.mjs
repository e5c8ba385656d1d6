// @ts-check
/**
 * A chat room as a page knows it, over a source that says what a test wants.
 * Not for: what the server makes of it (tests/it/realtime/moderation.rs), how it looks (../chat.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ChatRoom } from '../../../assets/js/chat-room.js';

/** Answers each request with what `answers` has for it. */
class FakeSource extends EventTarget {
  state = 'open';
  /** @type {[string, unknown][]} */ asked = [];
  /** @type {Record<string, any>} */ answers = {
    enter_room: { ok: true, count: 3, people: ['kim', 'lee', 'kim', 7], messages: [{ nickname: 'lee', message: 'a: b', date: '2026-11-26T00:00:00.000Z' }, null, { nickname: 'x' }] },
    new_message: { ok: true, count: 3 },
    report_message: { ok: true },
  };
  now() { return 0; }
  /** @param {string} type @param {unknown} payload */
  async request(type, payload) {
    this.asked.push([type, payload]);
    const answer = this.answers[type];
    if (answer instanceof Error) throw answer;
    return answer;
  }
  /** @param {string} type @param {unknown} [detail] */
  tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}

async function opened() {
  const source = new FakeSource();
  const room = new ChatRoom('goods-4', source);
  await new Promise((resolve) => room.addEventListener('reset', resolve, { once: true }));
  return { source, room };
}

const texts = (/** @type {ChatRoom} */ room) => room.messages.map(({ nickname, text }) => `${nickname}|${text}`);

test('who comes in sees who is there and what was said, and what is no message is left out', async () => {
  const { source, room } = await opened();
  assert.deepEqual(source.asked, [['enter_room', 'goods-4']]);
  assert.deepEqual([room.state, room.count, [...room.people]], ['open', 3, [['kim', 2], ['lee', 1]]]);
  assert.deepEqual(texts(room), ['lee|a: b']);
});

test('a line is split at its first colon, people are counted by session, rubbish changes nothing', async () => {
  const { source, room } = await opened();
  source.tell('new_message', ['kim: is it 5: or 6?', 4]);
  for (const rubbish of [null, 7, 'kim: alone', [7, 1], ['no colon', 2], {}]) source.tell('new_message', rubbish);
  assert.deepEqual(texts(room), ['lee|a: b', 'kim|is it 5: or 6?']);
  source.tell('bye', ['kim', 2]);
  assert.deepEqual([room.count, [...room.people]], [2, [['kim', 1], ['lee', 1]]]);
  source.tell('bye', ['kim', 1]);
  source.tell('bye', ['nobody', 1]);
  source.tell('welcome', ['mia', 2]);
  assert.deepEqual([...room.people.keys()], ['lee', 'mia']);
});

test('what one says is heard here once the server has it, and a refusal has its code', async () => {
  const { source, room } = await opened();
  await room.say('hello', 'kim');
  assert.deepEqual(source.asked.at(-1), ['new_message', ['hello', 'goods-4']]);
  assert.equal(texts(room).at(-1), 'kim|hello');
  source.answers.new_message = { ok: false, code: 'muted', message: 'No.' };
  await assert.rejects(room.say('again', 'kim'), { code: 'muted', message: 'No.' });
  source.answers.new_message = new Error('no answer');
  await assert.rejects(room.say('again', 'kim'), { code: 'offline' });
  assert.equal(room.messages.length, 2);
  await room.report(room.messages[0]);
  assert.deepEqual(source.asked.at(-1), ['report_message', { room: 'goods-4', message: 'a: b', nickname: 'lee' }]);
  for (let n = 0; n < 300; n += 1) source.tell('new_message', [`lee: ${n}`, 3]);
  assert.equal(room.messages.length, 200);
});

test('a guest keeps the chosen name over connections, until somebody has it', async () => {
  const { source, room } = await opened();
  source.answers.nickname = { ok: true, nickname: 'Ann' };
  assert.equal(await room.callMe(' ann '), 'Ann');
  const again = () => new Promise((resolve) => {
    room.addEventListener('reset', resolve, { once: true });
    source.asked.length = 0;
    source.tell('hello');
  });
  await again();
  assert.deepEqual(source.asked, [['nickname', 'Ann'], ['enter_room', 'goods-4']]);
  source.answers.nickname = { ok: false, code: 'nickname_taken', message: 'Taken.' };
  await assert.rejects(room.callMe('kim'), { code: 'nickname_taken' });
  await again();
  await again();
  assert.deepEqual(source.asked, [['enter_room', 'goods-4']]);
});

test('a refusal that is not of the name leaves a guest the name, and the room for later', async () => {
  const { source, room } = await opened();
  source.answers.nickname = { ok: true, nickname: 'Ann' };
  await room.callMe('Ann');
  const told = (/** @type {string} */ type) => new Promise((resolve) => {
    room.addEventListener(type, resolve, { once: true });
    source.asked.length = 0;
    source.tell('hello');
  });
  source.answers.nickname = { ok: false, code: 'unavailable', message: 'Later.' };
  await told('change');
  assert.deepEqual([source.asked, room.state, room.guestName], [[['nickname', 'Ann']], 'lost', 'Ann']);
  source.answers.nickname = { ok: true, nickname: 'Ann' };
  await told('reset');
  assert.deepEqual(source.asked, [['nickname', 'Ann'], ['enter_room', 'goods-4']]);
});

test('a room is entered again with each connection, and is for members where the server says so', async () => {
  const { source, room } = await opened();
  source.state = 'waiting';
  source.tell('state', {});
  assert.equal(room.state, 'lost');
  source.answers.enter_room = { ok: false, code: 'login_required' };
  source.state = 'open';
  source.tell('hello');
  await new Promise((resolve) => room.addEventListener('change', resolve, { once: true }));
  assert.equal(room.state, 'login');
  source.tell('new_message', ['kim: not for you', 3]);
  assert.equal(room.messages.length, 1);
});
