/**
 * A busy shop on PostgreSQL is backed up, and another one made of the dump, by the commands of docs/guides/nodes.md as they are
 * written there.
 * Not for: SQLite (tests/it/restore.rs).
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { WebSocket } from 'ws';

import { startCluster } from './cluster.mjs';
import { latest, logIn, order } from './people.mjs';
import { BIN } from './postgres.mjs';
import { replaced } from './proxies.mjs';
import { assertGoesOn, assertOnce, endlessGoods, startBuyer } from './shoppers.mjs';
import { EventLog } from './sockets.mjs';
import { DEADLINE_MS, PROGRAM } from './support.mjs';

const guide = await readFile(new URL('../../docs/guides/nodes.md', import.meta.url), 'utf8');
const [, section] = /\n## Back up, and restore\n(.*?)\n## /s.exec(guide);
const [BACK_UP, RESTORE] = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, commands]) => commands);

/** Runs commands of the guide with this server's addresses in the place of those there. Returns what they said. */
async function run(commands, places, folder) {
  const env = { ...process.env, PATH: `${BIN}:${process.env.PATH}` };
  const { stdout } = await promisify(execFile)('sh', ['-euc', replaced(commands, places)], { cwd: folder, env, timeout: DEADLINE_MS });
  return stdout;
}

/** A session at `/ws`. */
async function listen({ url }, query = '') {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws${query}`);
  const log = new EventLog();
  socket.on('message', (text) => {
    const { type, payload } = JSON.parse(text);
    log.record(type, payload);
  });
  const [hello] = await log.waitFor('hello');
  return { log, hello, close: () => socket.terminate() };
}

test('a busy shop is dumped and restored', { timeout: 2 * DEADLINE_MS }, async () => {
  const cluster = await startCluster({ nodes: 2, args: ['--audience', 'everyone'] });
  const [{ postgres, nodes }, open] = [cluster, []];
  const [source, restored] = [postgres.url, postgres.urlAt(postgres.port, 'restored')];
  const orders = [];
  const shopper = await logIn(cluster, cluster.demo.shopper);
  const goodsId = await endlessGoods(cluster.url);
  const buyers = Array.from({ length: 3 }, () => startBuyer(cluster.url, shopper, goodsId, orders));
  try {
    await assertGoesOn(orders, 20, 'the start');
    const before = orders.map(({ orderId }) => orderId);
    await run(BACK_UP, [['postgres://shopbell:secret@db.internal/shopbell', source]], cluster.folder);
    await assertGoesOn(orders, 20, 'the dump');
    await Promise.all(buyers.map((stop) => stop()));
    assertOnce(orders);
    const known = await listen(nodes[0]);
    open.push(known.close);
    const { epoch } = known.hello;
    const after = await latest(nodes[0], shopper);
    for (const node of nodes) await node.stop('SIGTERM');

    const said = await run(RESTORE, [
      ['postgres://postgres@db.internal/postgres', source],
      ['postgres://shopbell:secret@db.internal/restored', restored],
      ['postgres://shopbell:secret@db.internal/restored', restored],
      ['shopbell check', `${PROGRAM} check`],
      ['postgres://shopbell:secret@db.internal/restored', restored],
    ], cluster.folder);
    assert.match(said, /^UPDATE 1\nstock, orders and log agree\n$/);
    for (const { options, database } of nodes) options.env.DATABASE_URL = postgres.urlAt(new URL(database.url).port, 'restored');
    for (const node of nodes) await node.start();

    const kept = (await postgres.sql('select order_id from orders order by order_id', restored)).map(Number);
    const all = new Set(orders.map(({ orderId }) => orderId));
    assert.ok(before.every((orderId) => kept.includes(orderId)), 'what was ordered before the dump was begun');
    assert.ok(kept.every((orderId) => all.has(orderId)) && kept.length < all.size, 'and nothing that never was');

    // Who comes back is told that this is another log, and then hears what is new.
    const back = await listen(nodes[0], `?after=${after}&epoch=${epoch}`);
    open.push(back.close);
    assert.notEqual(back.hello.epoch, epoch);
    const [gap] = await back.log.waitFor('gap');
    assert.equal(gap.after, after);
    const read = await fetch(`${nodes[1].url}/api/notifications?after=${after}&epoch=${epoch}`);
    assert.deepEqual([read.status, (await read.json()).code], [410, 'too_old']);
    await order(nodes[1], shopper, { goodsId });
    await back.log.alert(kept.length + 1);
    assert.deepEqual(back.log.ids, [kept.length + 1]);
  } finally {
    open.forEach((close) => close());
    await Promise.all(buyers.map((stop) => stop()));
    await cluster.stop();
  }
});
