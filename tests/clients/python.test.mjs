/**
 * python-socketio, the client of scripts and back offices, over every way to connect.
 * Not for: what all clients of Socket.IO share in more depth (socketio.test.mjs).
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { latest, logIn, newGoods, newMember, newPassword, order } from './people.mjs';
import { EventLog } from './sockets.mjs';
import { startShop } from './support.mjs';

/** Made by scripts/test from python/requirements.txt. */
const PYTHON = fileURLToPath(new URL('python/.venv/bin/python', import.meta.url));
const CLIENT = fileURLToPath(new URL('python/client.py', import.meta.url));
const WAYS = [
  { name: 'polling', transports: 'polling', credential: 'cookie' },
  { name: 'websocket', transports: 'websocket', credential: 'cookie' },
  { name: 'upgrade', transports: 'polling,websocket', credential: 'token' },
];

let shop;
let goods;

before(async () => {
  shop = await startShop();
  goods = await newGoods(shop, 'Sparkling water');
});

after(() => shop?.stop());

/** Starts a client; what it does wrong it says on its standard error. */
async function start(t, { transports, credential }, { email, password }) {
  const child = spawn(PYTHON, [CLIENT, shop.url, email, password, transports, credential]);
  await once(child, 'spawn');
  const events = new EventLog();
  let wrong = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (wrong += text));
  createInterface({ input: child.stdout }).on('line', (line) => events.record(...JSON.parse(line)));
  const exit = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  const tell = (...what) => child.stdin.write(`${JSON.stringify(what)}\n`);
  return {
    events,
    emit: (...event) => tell('emit', ...event),
    async ask(event, ...args) {
      const before = events.all('ack').length;
      tell('call', event, ...args);
      return (await events.nth('ack', before + 1))[1];
    },
    async end() {
      child.stdin.end();
      const [code] = await exit;
      assert.deepEqual([code, wrong], [0, '']);
    },
  };
}

test('python-socketio buys, receives alerts, chats and comes back', { concurrency: WAYS.length }, async (t) => {
  const { nickname, email, password } = await logIn(shop, shop.shopper);
  const clients = await Promise.all(WAYS.map(async (way) => ({ ...(await start(t, way, { email, password })), name: way.name })));
  // That client runs each handler in a thread of its own: the order of events cannot be asserted.
  for (const { events } of clients) assert.deepEqual(await events.nth('offset', 1), ['0']);
  const forged = { goodsId: goods.goodsId, nickname: 'the king', goodsName: 'A crown', price: 0.01 };
  const answers = await Promise.all(clients.map(({ ask }) => ask('BUY', forged)));
  const ids = answers.map(({ ok, orderId, id }) => {
    assert.ok(ok && orderId > 0);
    return id;
  });
  for (const { events } of clients) {
    for (const id of ids) {
      const alert = await events.alert(id);
      assert.deepEqual([alert.nickname, alert.goodsName], [nickname, goods.name]);
    }
    await events.waitFor('offset', (offset) => offset === String(Math.max(...ids)));
    assert.deepEqual(events.ids.sort(), [1, 2, 3], 'each once');
  }

  const [first, ...others] = clients;
  for (const [n, { ask, emit, events }] of clients.entries()) {
    const { ok, count, people } = await ask('enter_room', 'python');
    assert.deepEqual([ok, count, people.length], [true, n + 1, n + 1]);
    assert.equal((await ask('DANCE')).code, 'unknown_event');
    emit('DANCE');
    assert.equal((await events.nth('error', 1))[0].code, 'unknown_event');
    emit('CHANGED_PAGE', '/python.html');
    await events.waitFor('SAME_PAGE_VIEWER_COUNT', (count) => count === 1);
  }
  await first.events.waitFor('welcome', (name, count) => name === nickname && count === 3);
  assert.deepEqual(await first.ask('new_message', 'ssh', 'python'), { ok: true, count: 3 });
  for (const { events } of others) assert.deepEqual(await events.nth('new_message', 1), [`${nickname}: ssh`, 3]);
  assert.equal(first.events.all('new_message').length, 0);

  await shop.pause();
  await Promise.all(clients.map(({ events }) => events.nth('disconnect', 1)));
  await shop.resume();
  await Promise.all(clients.map(({ events }) => events.nth('connect', 2)));
  const buyer = await newMember(shop, 'buyer');
  await order(shop, buyer, goods);
  const live = await latest(shop, buyer);
  for (const { events } of clients) assert.equal((await events.alert(live)).nickname, 'buyer');
  assert.equal((await first.ask('BUY', { goodsId: goods.goodsId })).ok, true);
  await Promise.all(clients.map(({ end }) => end()));
});

test('python-socketio is told that it was logged out, and stays away', async (t) => {
  const person = await newMember(shop, 'leaver');
  const clients = await Promise.all(WAYS.map(async (way) => start(t, way, person)));
  await Promise.all(clients.map(({ events }) => events.nth('connect', 1)));
  // Which ends all other log-ins.
  await newPassword(shop, person);
  await Promise.all(clients.map(async ({ events, end }) => {
    assert.deepEqual(await events.nth('disconnect', 1), ['server disconnect']);
    await end();
    assert.equal(events.all('connect').length, 1);
  }));
});
