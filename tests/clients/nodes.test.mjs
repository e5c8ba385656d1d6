/**
 * Socket.IO's official client with several nodes of a shop behind a proxy that gives each request to another one.
 * Not for: what nodes tell each other (tests/it/bus.rs), the ends that nodes come to (tests/it/socketio/nodes.rs).
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';

import { latest, newGoods, newMember, order } from './people.mjs';
import { freePort, listens } from './proxies.mjs';
import { CLIENTS, WAYS, arrive, open, within } from './sockets.mjs';
import { startShop } from './support.mjs';

const client = CLIENTS.at(-1);

let nats;
let nodes = [];
let proxy;
let goods;

before(async () => {
  const bus = await startNats();
  const first = await startShop('--bus', bus);
  nodes = [first];
  nodes.push(await first.beside('--bus', bus));
  await Promise.all(nodes.map(busIsUp));
  proxy = await startRoundRobin(nodes);
  goods = await newGoods(first, 'Tea for all');
});

after(async () => {
  proxy?.close();
  proxy?.closeAllConnections();
  // The first has the folder.
  for (const node of nodes.reverse()) await node.stop();
  nats?.kill();
});

async function startNats() {
  const port = await freePort();
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  nats = spawn('nats-server', ['--addr', '127.0.0.1', '--port', String(port)], { env, stdio: 'ignore' });
  await once(nats, 'spawn');
  await listens(port, () => nats.exitCode === null);
  return `nats://127.0.0.1:${port}`;
}

const busIsUp = (node) =>
  within((async () => {
    while ((await (await fetch(`${node.url}/readyz`)).json()).bus !== 'up') await new Promise((next) => { setTimeout(next, 20); });
  })(), 'a bus');

/** Gives each request, and each WebSocket, to the next node. */
async function startRoundRobin(shops) {
  let turn = 0;
  const next = () => new URL(shops[(turn += 1) % shops.length].url);
  const server = createServer((asked, answer) => {
    const { hostname, port } = next();
    const { method, url: path, headers } = asked;
    const passed = request({ hostname, port, method, path, headers }, (answered) => {
      answer.writeHead(answered.statusCode, answered.headers);
      answered.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  });
  server.on('upgrade', (asked, socket, head) => {
    const { hostname, port } = next();
    const lines = asked.rawHeaders.flatMap((name, n, all) => (n % 2 ? [] : [`${name}: ${all[n + 1]}`]));
    const passed = connect(port, hostname, () => {
      passed.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      passed.write(head);
      passed.pipe(socket).pipe(passed);
    });
    for (const [one, other] of [[socket, passed], [passed, socket]]) one.on('error', () => other.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

for (const way of WAYS) {
  test(`${way.name}: no session is unknown, every alert comes once and in order`, async (t) => {
    const people = await Promise.all([1, 2, 3, 4].map((n) => newMember(nodes[0], `${way.name}${n}`)));
    const url = `http://127.0.0.1:${proxy.address().port}`;
    const sessions = people.map(({ token }) => open(client, way, url, { token }));
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
