/**
 * A database that the next version has changed, while nodes of this one run on it: what was only added to disturbs nobody; what
 * took something away lets no program of this version start any more, in one sentence.
 * Not for: each migration of the past (the store's own tests).
 */

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

import { startCluster } from './cluster.mjs';
import { logIn, newGoods, newMember, order } from './people.mjs';
import { assertGoesOn, assertHeard, assertOnce, endlessGoods, openListeners, startBuyer } from './shoppers.mjs';
import { DEADLINE_MS, PROGRAM, startShop } from './support.mjs';

/** What says that a migration was made which this version does not know. */
const MADE = 'insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (9001, \'next\', true, \'\', 1)';
/** What a version adds that runs beside this one; `integer` is what both databases know. */
const ADDED = [
  'alter table users add column birthday integer',
  'alter table orders add column gift integer not null default 0',
  'alter table order_log add column spare text not null default \'\'',
  'create table gifts (order_id bigint primary key references orders (order_id), wish text not null)',
  'create index orders_by_gift on orders (gift)',
];
/** What a version says that took something away. */
const TAKEN = 'insert into settings (key, value) values (\'usable-from\', \'9001\')';

/** How a command of this version ends on a database. */
function ends(database, ...args) {
  return new Promise((resolve) => {
    const env = { ...process.env, DATABASE_URL: database, RUST_LOG: 'off' };
    execFile(PROGRAM, args, { env, timeout: DEADLINE_MS }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, said: stdout + stderr });
    });
  });
}

async function assertRefused(database, sentence) {
  for (const command of [['serve', '--addr', '127.0.0.1:0'], ['check'], ['migrate']]) {
    assert.deepEqual(await ends(database, ...command), { code: 1, said: sentence }, command.join(' '));
  }
}

test('PostgreSQL: nodes of two versions', { timeout: 3 * DEADLINE_MS }, async () => {
  const cluster = await startCluster({ nodes: 2, args: ['--audience', 'everyone'] });
  const [listeners, orders] = [openListeners(cluster.url, 1), []];
  const shopper = await logIn(cluster, cluster.demo.shopper);
  const goodsId = await endlessGoods(cluster.url);
  const buyers = Array.from({ length: 2 }, () => startBuyer(cluster.url, shopper, goodsId, orders));
  try {
    await assertGoesOn(orders, 10, 'the start');
    for (const change of [MADE, ...ADDED]) await cluster.postgres.sql(change);
    await assertGoesOn(orders, 20, 'the migration of another version');
    assert.deepEqual(await ends(cluster.postgres.url, 'check'), { code: 0, said: 'stock, orders and log agree\n' });

    // A node of this version beside it, and one that starts again.
    const late = await cluster.add();
    buyers.push(startBuyer(late.url, shopper, goodsId, orders));
    listeners.push(...openListeners(late.url, 1));
    await cluster.nodes[0].stop('SIGTERM');
    await cluster.nodes[0].start();
    await assertGoesOn(orders, 20, 'two nodes that started');

    await cluster.postgres.sql(TAKEN);
    await assertRefused(cluster.postgres.url, 'shopbell: the database was written by another version of shopbell\n');
    await assertGoesOn(orders, 20, 'a program that was refused');
    await Promise.all(buyers.map((stop) => stop()));
    await assertHeard(listeners, assertOnce(orders));
  } finally {
    listeners.forEach(({ close }) => close());
    await Promise.all(buyers.map((stop) => stop()));
    await cluster.stop();
  }
});

test('SQLite: one program, which another version\'s file does not disturb while it runs', { timeout: 2 * DEADLINE_MS }, async () => {
  const shop = await startShop('--audience', 'everyone');
  try {
    const [buyer, tea] = [await newMember(shop, 'buyer'), await newGoods(shop, 'Tea')];
    const file = join(shop.folder, 'shop.db');
    const script = 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=10); [db.execute(each) for each in sys.argv[2:]]; db.commit()';
    execFileSync('python3', ['-c', script, file, MADE, ...ADDED.slice(0, 3)]);
    await assertRefused(`sqlite://${file}`, `shopbell: the database ${file} was written by another version of shopbell\n`);
    await order(shop, buyer, tea);
  } finally {
    await shop.stop();
  }
});
