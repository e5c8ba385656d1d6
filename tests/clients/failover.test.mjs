/**
 * PostgreSQL's primary is lost, and a standby that has all that was acknowledged takes its place at the address that the nodes
 * know: nothing is lost, repeated or out of order, and no node has to be restarted.
 * Not for: a primary that comes back by itself (cluster.test.mjs), connections that die (the store's own tests).
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { startCluster } from './cluster.mjs';
import { logIn } from './people.mjs';
import { assertGoesOn, assertHeard, assertOnce, endlessGoods, openListeners, pause, startBuyer } from './shoppers.mjs';
import { DEADLINE_MS } from './support.mjs';

const [EACH, BUYERS] = [2, 3];
/** More than a node has connections to read with. */
const READS = 24;

let cluster;
let primary;
let standby;
let shopper;
let goodsId;
let listeners = [];
let buyers = [];
const orders = [];

before(async () => {
  cluster = await startCluster({ nodes: 2, args: ['--audience', 'everyone'] });
  primary = cluster.postgres;
  shopper = await logIn(cluster, cluster.demo.shopper);
  goodsId = await endlessGoods(cluster.url);
  listeners = openListeners(cluster.url, EACH);
});
after(async () => {
  listeners.forEach(({ close }) => close());
  await primary?.stop('SIGQUIT');
  await standby?.stop('SIGQUIT');
  await cluster?.stop();
});

/** Each time another server follows. */
beforeEach(async () => {
  standby = await primary.standby(join(cluster.folder, `standby-${orders.length}`));
  buyers = Array.from({ length: BUYERS }, () => startBuyer(cluster.url, shopper, goodsId, orders));
  await assertGoesOn(orders, 10, 'the start');
});
afterEach(() => Promise.all(buyers.map((stop) => stop())));

/** Connections to come lead to this server. */
const leadTo = (server) => cluster.nodes.forEach(({ database }) => database.leadTo(server.url));

/** The standby takes the primary's place. */
async function failOver() {
  await standby.promote();
  leadTo(standby);
  [primary, standby] = [standby, primary];
}

/** All orders are there once, and everyone has heard of each once and in order. */
async function assertWhole() {
  await Promise.all(buyers.map((stop) => stop()));
  const latest = assertOnce(orders);
  await assertHeard(listeners, latest);
  const [count] = await primary.sql('select count(*) from orders');
  assert.equal(Number(count), orders.length);
  return latest;
}

test('a primary that is killed', { timeout: 2 * DEADLINE_MS }, async () => {
  await primary.stop('SIGKILL');
  await failOver();
  await assertGoesOn(orders, 30, 'the fail-over');
  await assertWhole();
  await standby.stop('SIGKILL');
});

test('an address that leads to the standby for a while, and connections that stay there', { timeout: 2 * DEADLINE_MS }, async () => {
  const lines = cluster.nodes.map(({ database }) => database);
  leadTo(standby);
  for (const line of lines) {
    line.cut();
    line.restore();
  }
  await Promise.all(cluster.nodes.map(refusesToWrite));
  leadTo(primary);
  // What it answers is old from now on.
  await standby.sql('select pg_wal_replay_pause()');
  await assertGoesOn(orders, 30, 'the address led to the primary again');
  const latest = await assertWhole();
  for (const { url } of cluster.nodes) {
    const reads = Array.from({ length: READS }, async () => {
      const answer = await fetch(`${url}/api/notifications?after=${latest - 1}&limit=10`);
      return (await answer.json()).latest;
    });
    assert.deepEqual(new Set(await Promise.all(reads)), new Set([latest]));
  }
  await standby.stop('SIGQUIT');
  await primary.sql("alter system set synchronous_standby_names = ''");
  await primary.sql('select pg_reload_conf()');
});

test('a primary that is gone without a word', { timeout: 4 * DEADLINE_MS }, async () => {
  cluster.nodes.forEach(({ database }) => database.silence());
  await failOver();
  // What was asked of it is waited for, for 10 s.
  await assertGoesOn(orders, 30, 'the fail-over', 2 * DEADLINE_MS);
  await assertWhole();
});

/** Waits until a node cannot write. */
async function refusesToWrite({ url }) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const answer = await fetch(`${url}/api/auth`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(cluster.demo.shopper),
    });
    if (answer.status === 503) return;
    assert.ok(Date.now() < end, `a log-in is still answered with ${answer.status}`);
    await pause(20);
  }
}
