/**
 * Three nodes behind a proxy that goes round, and clients of all transports spread over them, while nodes die, NATS and
 * PostgreSQL come and go, and lines are cut: every client's sequence is the log's, every acknowledged order exists once, every
 * webhook arrives.
 * Not for: one node, or the requests that one carries for another (the other files), how fast it is (bench).
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startCluster } from './cluster.mjs';
import { logIn } from './people.mjs';
import { startReceiver } from './receiver.mjs';
import { assertGoesOn, assertHeard, assertOnce, endlessGoods, openListeners, pause, startBuyer } from './shoppers.mjs';

/** Clients of each way; more by hand: `CLIENTS_EACH=200 node --test cluster.test.mjs`. */
const EACH = Number(process.env.CLIENTS_EACH ?? 6);
const BUYERS = 3;
const SETTLED_MS = 60_000;

let cluster;

before(async () => {
  cluster = await startCluster({
    args: ['--audience', 'everyone', '--allow-private-endpoints', '--max-sessions-per-address', '10000', '--max-connections-per-address', '10000'],
  });
});
after(() => cluster?.stop());

/** What befalls the nodes, each with a while for the others to go on in. */
const TROUBLE = {
  'a node is killed, and comes back': async ({ nodes: [, , third] }) => {
    await third.stop('SIGKILL');
    await pause(1500);
    await third.start();
  },
  'NATS is gone for a while': async ({ nats }) => {
    await nats.stop('SIGKILL');
    await pause(1500);
    await nats.start();
  },
  'PostgreSQL restarts': async ({ postgres }) => {
    await postgres.stop('SIGINT');
    await pause(500);
    await postgres.start();
  },
  'a node is cut off from the bus': async ({ nodes: [first] }) => {
    first.bus.cut();
    await pause(2000);
    first.bus.restore();
  },
  'a node is cut off from the database': async ({ nodes: [, second] }) => {
    second.database.cut();
    await pause(2000);
    second.database.restore();
  },
  'a node is drained, as for an upgrade': async ({ nodes: [first] }) => {
    await first.stop('SIGTERM');
    await first.start();
  },
};

test('nothing is lost, repeated or out of order, whatever befalls the nodes', { timeout: 300_000 }, async () => {
  const at = { url: cluster.url };
  const shopper = await logIn(at, cluster.demo.shopper);
  const admin = await logIn(at, cluster.demo.admin);
  const goodsId = await endlessGoods(cluster.url);

  const receiver = await startReceiver(at, admin);
  const listeners = openListeners(cluster.url, EACH);
  const orders = [];
  await pause(1000);
  const buyers = Array.from({ length: BUYERS }, () => startBuyer(cluster.url, shopper, goodsId, orders));
  try {
    for (const [what, happens] of Object.entries(TROUBLE)) {
      await happens(cluster);
      await assertGoesOn(orders, 20, what, SETTLED_MS);
    }
    await Promise.all(buyers.map((stop) => stop()));

    const latest = assertOnce(orders);
    await assertHeard(listeners, latest, SETTLED_MS);
    await receiver.assertTold(orders, SETTLED_MS);
  } finally {
    listeners.forEach(({ close }) => close());
    receiver.close();
    await Promise.all(buyers.map((stop) => stop()));
  }
});
