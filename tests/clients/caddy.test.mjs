/**
 * Three nodes behind Caddy as `examples/proxy/Caddyfile.nodes` has it, while one is killed and another one drained: every
 * client's sequence is the log's.
 * Not for: what else befalls nodes (cluster.test.mjs), TLS and what one node needs of Caddy (proxies.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startCluster } from './cluster.mjs';
import { logIn } from './people.mjs';
import { assertGoesOn, assertHeard, assertOnce, endlessGoods, openListeners, startBuyer } from './shoppers.mjs';
import { DEADLINE_MS } from './support.mjs';

test('nothing is lost, repeated or out of order behind Caddy', { timeout: 3 * DEADLINE_MS }, async () => {
  const cluster = await startCluster({ args: ['--audience', 'everyone'], front: 'caddy' });
  const [listeners, orders] = [openListeners(cluster.url, 3), []];
  const shopper = await logIn(cluster, cluster.demo.shopper);
  const goodsId = await endlessGoods(cluster.url);
  const buyers = Array.from({ length: 3 }, () => startBuyer(cluster.url, shopper, goodsId, orders));
  try {
    await assertGoesOn(orders, 20, 'the start');
    await cluster.nodes[2].stop('SIGKILL');
    await assertGoesOn(orders, 30, 'a node was killed');
    await cluster.nodes[2].start();
    await cluster.nodes[0].stop('SIGTERM');
    await assertGoesOn(orders, 30, 'another one was drained');
    await cluster.nodes[0].start();
    await assertGoesOn(orders, 30, 'all were back');
    await Promise.all(buyers.map((stop) => stop()));
    await assertHeard(listeners, assertOnce(orders));
    for (const path of ['/metrics', '/healthz', '/readyz']) assert.equal((await fetch(cluster.url + path)).status, 404, path);
  } finally {
    listeners.forEach(({ close }) => close());
    await Promise.all(buyers.map((stop) => stop()));
    await cluster.stop();
  }
});
