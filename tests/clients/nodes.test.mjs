/**
 * Socket.IO's official client with several nodes of a shop behind a proxy that gives each request to another one.
 * Not for: what nodes tell each other (tests/it/bus.rs), the ends that nodes come to (tests/it/socketio/nodes.rs).
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startNats } from './cluster.mjs';
import { startFront } from './front.mjs';
import { latest, newGoods, newMember, order } from './people.mjs';
import { CLIENTS, WAYS, arrive, open, within } from './sockets.mjs';
import { startShop } from './support.mjs';

const client = CLIENTS.at(-1);

let nats;
let nodes = [];
let front;
let goods;

before(async () => {
  nats = await startNats();
  const first = await startShop('--bus', nats.url);
  nodes = [first];
  nodes.push(await first.beside('--bus', nats.url));
  await Promise.all(nodes.map(busIsUp));
  front = await startFront(first.folder, nodes.map(({ url }) => new URL(url).port));
  goods = await newGoods(first, 'Tea for all');
});

after(async () => {
  await front?.stop();
  // The first has the folder.
  for (const node of nodes.reverse()) await node.stop();
  await nats?.stop();
});

const busIsUp = (node) =>
  within((async () => {
    while ((await (await fetch(`${node.url}/readyz`)).json()).bus !== 'up') await new Promise((next) => { setTimeout(next, 20); });
  })(), 'a bus');

for (const way of WAYS) {
  test(`${way.name}: no session is unknown, every alert comes once and in order`, async (t) => {
    const people = await Promise.all([1, 2, 3, 4].map((n) => newMember(nodes[0], `${way.name}${n}`)));
    const sessions = people.map(({ token }) => open(client, way, front.url, { token }));
    t.after(() => sessions.forEach(({ socket }) => socket.close()));
    const starts = await Promise.all(sessions.map(({ events }) => events.offsetAfterConnect(1)));
    await Promise.all(sessions.map((session) => arrive(session, way)));
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(sessions.map(({ ask }) => ask('BUY', { goodsId: goods.goodsId })));
      assert.ok(answers.every(({ ok }) => ok), JSON.stringify(answers));
      await order(nodes[round % 2], people[0], goods);
    }
    const last = await latest(nodes[0], people[0]);
    for (const [n, { events, socket }] of sessions.entries()) {
      await events.waitFor('BUY_GOODS', (alert) => alert.id === last);
      events.assertAlerts(starts[n], last);
      assert.deepEqual([events.all('connect').length, events.all('disconnect'), events.all('connect_error')], [1, [], []]);
      assert.equal(socket.io.engine.transport.name, way.transport);
    }
  });
}
