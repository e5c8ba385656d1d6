/**
 * Socket.IO's official JavaScript clients, from the oldest that pages use to the newest, over every way to connect.
 * Not for: the same clients in a browser (seed-live.test.mjs), the protocol's bytes (tests/it).
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { WebSocket } from 'ws';

import { latest, logIn, logOut, newGoods, newMember, order } from './people.mjs';
import { CLIENTS, EventLog, WAYS, arrive, open, openProxy } from './sockets.mjs';
import { startShop } from './support.mjs';

/** Clients that are tried at once. */
const AT_ONCE = { concurrency: 6 };
const PAIRS = CLIENTS.flatMap((client) => WAYS.map((way) => ({ client, way, name: `${client.version}, ${way.name}` })));

let shop;
let goods;
let watcher;
let names = 0;

before(async () => {
  shop = await startShop();
  goods = await newGoods(shop, 'Sparkling water');
  watcher = await newMember(shop, 'watcher');
});

after(() => shop?.stop());

/** Runs a test for each of some things, several at once. */
const each = (title, things, run) =>
  test(title, AT_ONCE, (t) => Promise.all(things.map((thing) => t.test(thing.name, (t) => run(t, thing)))));

/** Opens clients that are closed when the test ends. */
function opener(t, client, way, url = shop.url) {
  return (options) => {
    const one = open(client, way, url, options);
    t.after(() => one.socket.close());
    return one;
  };
}

const newcomer = () => newMember(shop, `buyer${++names}`);

each('a purchase is told to all members, and to no guest', PAIRS, async (t, { client, way }) => {
  const connect = opener(t, client, way);
  const person = await newcomer();
  const [byCookie, byToken, guest] = [connect({ cookie: person.cookie }), connect({ token: watcher.token }), connect()];
  const members = [byCookie, byToken];
  const starts = await Promise.all(members.map(({ events }) => events.offsetAfterConnect(1)));

  // Where there is an upgrade, this message meets it.
  const forged = { goodsId: goods.goodsId, nickname: 'the king', goodsName: 'A crown', price: 0.01, date: '1970-01-01' };
  const first = await byCookie.ask('BUY', forged);
  assert.equal(first.ok, true);
  await Promise.all([...members, guest].map((one) => arrive(one, way)));
  // A page does not wait for an answer.
  byCookie.socket.emit('BUY', { goodsId: goods.goodsId });
  const third = await byToken.ask('BUY', { goodsId: goods.goodsId, quantity: 3 });
  assert.ok(third.ok && third.orderId > first.orderId && third.id > first.id, JSON.stringify([first, third]));
  const isSecond = ({ nickname, id }) => nickname === person.nickname && id > first.id;
  const [second] = await byToken.events.waitFor('BUY_GOODS', isSecond);
  const last = Math.max(second.id, third.id);

  for (const [n, { events }] of members.entries()) {
    const alert = await events.alert(first.id);
    const { nickname, goodsId, goodsName, quantity } = alert;
    const facts = { nickname: person.nickname, goodsId: goods.goodsId, goodsName: goods.name, quantity: 1 };
    assert.deepEqual({ nickname, goodsId, goodsName, quantity }, facts);
    assert.ok(Math.abs(Date.now() - Date.parse(alert.date)) < 60_000, alert.date);
    assert.ok(!JSON.stringify(alert).includes('crown') && !('price' in alert));
    assert.equal((await events.alert(third.id)).quantity, 3);
    await events.waitFor('offset', (offset) => Number(offset) >= last);
    events.assertAlerts(starts[n], Math.max(...events.ids));
    assert.ok(events.all('BUY_GOODS').every((args) => args.length === 1), 'handlers of one parameter');
  }
  assert.equal((await guest.ask('BUY', { goodsId: goods.goodsId })).code, 'login_required');
  assert.deepEqual([guest.events.ids, guest.events.all('offset')], [[], []]);
});

each('what is refused is said', PAIRS, async (t, { client, way }) => {
  const connect = opener(t, client, way);
  const stranger = connect({ token: 'x.y.z' });
  const [error] = await stranger.events.waitFor('connect_error');
  assert.ok(error instanceof Error);
  assert.equal(error.data.code, 'login_required');
  const { events, ask, socket } = connect({ token: watcher.token });
  const { ok, code, message } = await ask('DANCE', { wildly: true });
  assert.deepEqual([ok, code, typeof message], [false, 'unknown_event', 'string']);
  socket.emit('DANCE');
  const [refusal] = await events.waitFor('error');
  assert.deepEqual([refusal.event, refusal.code], ['DANCE', 'unknown_event']);
  assert.equal((await ask('BUY', { goodsId: 0 })).ok, false);
});

each('viewers of a page are people, told as a bare number', PAIRS, async (t, { client, way, name }) => {
  const connect = opener(t, client, way);
  const page = `/detail.html?goodsId=${encodeURIComponent(name)}`;
  const [one, tab, guest] = [connect({ token: watcher.token }), connect({ cookie: watcher.cookie }), connect()];
  one.socket.emit('CHANGED_PAGE', page);
  await one.events.waitFor('SAME_PAGE_VIEWER_COUNT', (...args) => args.length === 1 && args[0] === 1);
  assert.deepEqual(await tab.ask('CHANGED_PAGE', page.replace('.html', '')), { ok: true });
  guest.socket.emit('CHANGED_PAGE', page);
  for (const { events } of [one, tab, guest]) await events.waitFor('SAME_PAGE_VIEWER_COUNT', (count) => count === 2);
  guest.socket.close();
  await tab.events.waitFor('SAME_PAGE_VIEWER_COUNT', () => tab.events.all('SAME_PAGE_VIEWER_COUNT').at(-1)[0] === 1);
  assert.ok(one.events.all('SAME_PAGE_VIEWER_COUNT').every(([count]) => count <= 2), 'a tab is no person');
});

each('who logs out is disconnected and does not come back', PAIRS, async (t, { client, way }) => {
  const connect = opener(t, client, way);
  const person = await newcomer();
  const [leaver, stayer] = [connect({ token: person.token }), connect({ token: watcher.token })];
  let attempts = 0;
  leaver.socket.io.on('reconnect_attempt', () => (attempts += 1));
  await Promise.all([arrive(leaver, way), arrive(stayer, way)]);
  await logOut(shop, person);
  assert.equal((await leaver.events.nth('disconnect', 1))[0], 'io server disconnect');
  // A client that reconnects would have done so in the time that all this takes.
  for (let n = 0; n < 20; n += 1) await stayer.ask('CHANGED_PAGE', `/page${n}`);
  assert.deepEqual([attempts, leaver.socket.connected, stayer.socket.connected], [0, false, true]);
  assert.equal(leaver.events.all('connect').length, 1);
  // And one who tries is told why not.
  leaver.socket.connect();
  const [error] = await leaver.events.waitFor('connect_error');
  assert.equal(error.data.code, 'login_required');
});

/** A member at `/ws`, by the same names. */
async function openNative(t, { token }) {
  const socket = new WebSocket(`${shop.url.replace('http', 'ws')}/ws`, ['shopbell', `bearer.${token}`]);
  t.after(() => socket.close());
  const events = new EventLog();
  socket.on('message', (text) => {
    const { type, payload } = JSON.parse(text);
    events.record(type, ...(Array.isArray(payload) ? payload : [payload]));
  });
  await events.waitFor('hello');
  return { events, emit: (type, payload) => socket.send(JSON.stringify({ type, payload })) };
}

each('polls, sockets and /ws meet in one room', CLIENTS.map((client) => ({ client, name: client.version })), async (t, { client }) => {
  const room = `room ${client.version}`;
  const [polling, socket, upgraded] = WAYS.map((way) => opener(t, client, way)({ token: watcher.token }));
  const person = await newcomer();
  const native = await openNative(t, person);
  const first = await polling.ask('enter_room', room);
  assert.deepEqual([first.ok, first.count], [true, 1]);
  const second = await socket.ask('enter_room', { payload: room });
  assert.deepEqual([second.ok, second.count], [true, 2]);
  await polling.events.waitFor('welcome', (name, count) => name === 'watcher' && count === 2);
  upgraded.socket.emit('enter_room', room);
  await socket.events.waitFor('welcome', (_, count) => count === 3);
  native.emit('enter_room', room);
  for (const { events } of [polling, socket, upgraded]) {
    await events.waitFor('welcome', (name, count) => name === person.nickname && count === 4);
  }

  assert.equal((await socket.ask('new_message', 'hello, all', room)).ok, true);
  for (const { events } of [polling, upgraded, native]) {
    assert.deepEqual(await events.nth('new_message', 1), ['watcher: hello, all', 4]);
  }
  native.emit('new_message', { message: '여러분 안녕', room });
  for (const { events } of [polling, socket, upgraded]) {
    await events.waitFor('new_message', (text, count) => text === `${person.nickname}: 여러분 안녕` && count === 4);
  }
  assert.equal(socket.events.all('new_message').length, 1, 'nobody receives their own message');

  polling.socket.close();
  for (const { events } of [socket, upgraded, native]) assert.deepEqual(await events.nth('bye', 1), ['watcher', 3]);
  upgraded.socket.emit('leave_room', room);
  for (const { events } of [socket, native]) assert.deepEqual(await events.nth('bye', 2), ['watcher', 2]);
  assert.equal((await upgraded.ask('new_message', 'anyone?', room)).code, 'not_in_room');
});

each('what a lost connection missed comes once and in order, and again', PAIRS.filter(({ client }) => client.recovers), async (t, { client, way }) => {
  const proxy = await openProxy(shop.url);
  t.after(() => proxy.close());
  const buyer = await newcomer();
  const one = opener(t, client, way, proxy.url)({ token: watcher.token });
  const start = await one.events.offsetAfterConnect(1);
  assert.equal(one.socket.recovered, false);
  await arrive(one, way);
  // The first time the client has received only the offset, the second time alerts too.
  for (const round of [1, 2]) {
    proxy.cut();
    await one.events.nth('disconnect', round);
    for (let n = 0; n < 3; n += 1) await order(shop, buyer, goods);
    const missed = await latest(shop, buyer);
    proxy.restore();
    await one.events.nth('connect', round + 1);
    assert.equal(one.socket.recovered, true);
    await one.events.alert(missed);
    one.events.assertAlerts(start, Math.max(...one.events.ids));
  }
  await order(shop, buyer, goods);
  await one.events.alert(await latest(shop, buyer));
  one.events.assertAlerts(start, Math.max(...one.events.ids));

  // An offset that the log does not have.
  proxy.cut();
  await one.events.nth('disconnect', 3);
  one.socket._lastOffset = '999999999';
  proxy.restore();
  const anew = await one.events.offsetAfterConnect(4);
  assert.equal(one.socket.recovered, false);
  assert.ok(anew <= await latest(shop, buyer));
});

test('all come back by themselves after a restart, and recover where they can', async (t) => {
  const shop = await startShop();
  t.after(() => shop.stop());
  const proxy = await openProxy(shop.url);
  t.after(() => proxy.close());
  const [goods, member] = [await newGoods(shop, 'Rye bread'), await logIn(shop, shop.shopper)];
  const everyone = PAIRS.map(({ client, way, name }, n) => {
    const who = n % 2 ? { token: member.token } : { cookie: member.cookie };
    const one = opener(t, client, way, proxy.url)(who);
    return { ...one, name, recovers: client.recovers, way };
  });
  await Promise.all(everyone.map((one) => arrive(one, one.way)));
  const starts = await Promise.all(everyone.map(({ events }) => events.offsetAfterConnect(1)));

  for (const round of [1, 2]) {
    await shop.pause();
    proxy.cut();
    await Promise.all(everyone.map(({ events }) => events.nth('disconnect', round)));
    await shop.resume();
    await order(shop, member, goods);
    await order(shop, member, goods);
    const missed = await latest(shop, member);
    proxy.restore();
    await Promise.all(everyone.map(async (one) => {
      await one.events.nth('connect', round + 1);
      assert.equal(one.socket.recovered ?? false, one.recovers, one.name);
      if (one.recovers) await one.events.alert(missed);
      else assert.equal(await one.events.offsetAfterConnect(round + 1), missed);
    }));
    const live = await order(shop, member, goods).then(() => latest(shop, member));
    for (const [n, one] of everyone.entries()) {
      assert.equal((await one.events.alert(live)).goodsName, goods.name);
      if (one.recovers) one.events.assertAlerts(starts[n], live);
      else assert.equal(one.events.ids.length, round, 'what happens after it is back');
    }
  }
  for (const { events, name } of everyone) {
    const reasons = events.all('disconnect').map(([reason]) => reason);
    assert.ok(!reasons.includes('io server disconnect'), `${name}: ${reasons}`);
  }
});
