/**
 * Nodes whose clocks differ by minutes, and one whose clock jumps while it runs: the log, what clients hear, webhooks and
 * log-ins go on, with the bus and without it.
 * Not for: a machine's time zone, or clocks in browsers.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { WebSocket } from 'ws';

import { startCluster } from './cluster.mjs';
import { logIn, logOut } from './people.mjs';
import { assertGoesOn, assertHeard, assertOnce, endlessGoods, openListeners, pause, startBuyer } from './shoppers.mjs';
import { within } from './sockets.mjs';
import { DEADLINE_MS } from './support.mjs';
import { startReceiver } from './receiver.mjs';

/** What each node's clock is wrong by at the start, in seconds. The last one's jumps. */
const WRONG_BY = [0, 300, 0];
const JUMPS = [-300, 300, 0];
/** By what those that come later are. */
const SEASON = 90 * 24 * 3600;
const [EACH, BUYERS] = [2, 3];

/** Where Debian's package libfaketime has what gives a program another clock. */
const FAKETIME = `/usr/lib/${{ x64: 'x86_64', arm64: 'aarch64' }[process.arch]}-linux-gnu/faketime/libfaketimeMT.so.1`;

let cluster;
const clockOf = (n, folder) => join(folder, `clock-${n}`);
const set = (n, seconds, folder = cluster.folder) => writeFileSync(clockOf(n, folder), `${seconds < 0 ? '' : '+'}${seconds}s`);

before(async () => {
  cluster = await startCluster({
    args: ['--audience', 'everyone', '--allow-private-endpoints'],
    environment(n, folder) {
      set(n, WRONG_BY[n] ?? SEASON, folder);
      return { LD_PRELOAD: FAKETIME, FAKETIME_TIMESTAMP_FILE: clockOf(n, folder), FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
    },
  });
});
after(() => cluster?.stop());

/** How far a node's clock is off, in seconds. */
async function offBy(node) {
  const { time } = await (await fetch(`${node.url}/api/shop`)).json();
  // Not -0.
  return Math.round((Date.parse(time) - Date.now()) / 10_000) * 10 + 0;
}

test('what is sold is told once and in order, whatever the clocks say', { timeout: 2 * DEADLINE_MS }, async () => {
  assert.deepEqual(await Promise.all(cluster.nodes.map(offBy)), WRONG_BY);
  const shopper = await logIn(cluster, cluster.demo.shopper);
  const receiver = await startReceiver(cluster, await logIn(cluster, cluster.demo.admin));
  const listeners = openListeners(cluster.url, EACH);
  const orders = [];
  const goodsId = await endlessGoods(cluster.url);
  const buyers = Array.from({ length: BUYERS }, () => startBuyer(cluster.url, shopper, goodsId, orders));
  try {
    await assertGoesOn(orders, 20, 'the start');
    for (const seconds of JUMPS) {
      set(2, seconds);
      assert.equal(await offBy(cluster.nodes[2]), seconds);
      await assertGoesOn(orders, 20, `a jump to ${seconds}`);
      // Who comes back does so at any of the clocks.
      await cluster.front.stop();
      await cluster.front.start();
    }
    await Promise.all(buyers.map((stop) => stop()));
    await assertHeard(listeners, assertOnce(orders));
    await receiver.assertTold(orders);
  } finally {
    listeners.forEach(({ close }) => close());
    receiver.close();
    await Promise.all(buyers.map((stop) => stop()));
  }
});

test('a log-in holds at all nodes until it is ended at one of them', { timeout: 2 * DEADLINE_MS }, async () => {
  const holds = async (here, there, what) => {
    const member = await logIn(here, cluster.demo.shopper);
    const sockets = await Promise.all(cluster.nodes.map((node) => listen(node, member)));
    await logOut(there, member);
    await within(Promise.all(sockets.map(({ closed }) => closed)), `the end of a log-in, ${what}`);
  };
  for (const bus of ['up', 'away']) {
    if (bus === 'away') await cluster.nats.stop('SIGKILL');
    for (const seconds of JUMPS) {
      set(2, seconds);
      await Promise.all(cluster.nodes.map((node, n) => {
        return holds(node, cluster.nodes[(n + 1) % 3], `made at node ${n}, its bus ${bus}, the last one's clock at ${seconds}`);
      }));
    }
  }
});

test('a node that believes to be in next season deletes nothing of today', { timeout: 2 * DEADLINE_MS }, async () => {
  const [here] = cluster.nodes;
  const { token } = await logIn(here, cluster.demo.shopper);
  const body = JSON.stringify({ items: [{ goodsId: await endlessGoods(here.url), quantity: 1 }] });
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, 'Idempotency-Key': 'of-today' };
  const place = async () => (await fetch(`${here.url}/api/orders`, { method: 'POST', headers, body })).json();
  const placed = await place();
  assert.ok(placed.id, JSON.stringify(placed));
  // What may be deleted, after all that a node with that clock would take for as old.
  await cluster.postgres.sql(`insert into sessions (session_id, user_id, created_at, expires_at) select '${'0'.repeat(64)}', user_id, 0, 1 from users limit 1`);
  const old = () => cluster.postgres.sql('select count(*) from sessions where expires_at = 1');
  assert.equal(await offBy(await cluster.add()), SEASON);
  await within((async () => {
    while ((await old())[0] !== '0') await pause(50);
  })(), 'the end of what is old');
  assert.equal((await place()).order.orderId, placed.order.orderId, 'the order is known by its key');
  const log = await fetch(`${here.url}/api/notifications?after=0&limit=1000`);
  const alerts = await log.json();
  assert.equal(alerts.notifications?.length, placed.id, `the alerts are there: ${JSON.stringify(alerts).slice(0, 200)}`);
  const { status } = await fetch(`${here.url}/api/users/me`, { headers });
  assert.equal(status, 200, 'the log-in holds');
});

/** A session of a member's, which `closed` waits for the end of. */
async function listen({ url }, { token }) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers: { Authorization: `Bearer ${token}` } });
  const closed = once(socket, 'close');
  await within(once(socket, 'message'), 'a session');
  return { closed };
}
