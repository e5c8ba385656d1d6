/**
 * A shop of several nodes: PostgreSQL, NATS, the program as often as there are nodes, each with lines to both that can be cut,
 * and a proxy in front that goes round.
 * Not for: who comes to it (cluster.test.mjs, nodes.test.mjs).
 */

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startFront } from './front.mjs';
import { startPostgres } from './postgres.mjs';
import { Program } from './program.mjs';
import { freePort } from './proxies.mjs';
import { openProxy } from './sockets.mjs';
import { PROGRAM, RATES, end, startDemo } from './support.mjs';

/** The bus: `url`, and `stop()` and `start()`. */
export async function startNats() {
  const port = await freePort();
  const nats = new Program(['nats-server', '-a', '127.0.0.1', '-p', String(port)], port, { env: { PATH: `${process.env.PATH}:/usr/sbin` } });
  await nats.start();
  return Object.assign(nats, { url: `nats://127.0.0.1:${port}` });
}

/**
 * Starts all of it with the demo's people and goods. Each node has `database` and `bus`, its lines, to `cut()` and
 * `restore()`; `stop()` and `start()` are of the node. `environment` is what a node has besides, by its number from 0.
 * `add()` starts one more, which the proxy does not know.
 */
export async function startCluster({ nodes: count = 3, args = [], environment = () => ({}), front = 'nginx' } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'shopbell-nodes-'));
  await chmod(folder, 0o755);
  const cluster = { folder, nodes: [] };
  cluster.stop = async () => {
    await cluster.front?.stop();
    for (const node of cluster.nodes) {
      await node.stop('SIGKILL');
      node.database.close();
      node.bus.close();
    }
    await cluster.nats?.stop('SIGKILL');
    await cluster.postgres?.stop('SIGQUIT');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    [cluster.postgres, cluster.nats] = [await startPostgres(join(folder, 'database')), await startNats()];
    cluster.demo = await demo(cluster, args);
    cluster.add = async () => {
      const node = await startNode(cluster, args, environment(cluster.nodes.length, folder));
      cluster.nodes.push(node);
      return node;
    };
    while (cluster.nodes.length < count) await cluster.add();
    cluster.front = await startFront(folder, cluster.nodes.map(({ port }) => port), front);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  cluster.url = cluster.front.url;
  return cluster;
}

/** Makes the demo's people and goods, and says who they are. */
async function demo(cluster, args) {
  const { child, said } = await startDemo(cluster.postgres.url, 'demo admin:', ['--addr', '127.0.0.1:0', ...args]);
  await end(child);
  return said;
}

async function startNode(cluster, args, environment) {
  const [port, database, bus] = [
    await freePort(),
    await openProxy(cluster.postgres.url),
    await openProxy(cluster.nats.url),
  ];
  const [databaseUrl, busUrl] = [cluster.postgres.urlAt(new URL(database.url).port), bus.url.replace('http:', 'nats:')];
  const command = [
    PROGRAM, 'serve', '--addr', `127.0.0.1:${port}`, '--bus', busUrl, '--drain-timeout', '1s',
    '--media', join(cluster.folder, 'media'), ...RATES, ...args,
  ];
  const env = { ...process.env, DATABASE_URL: databaseUrl, RUST_LOG: 'warn', ...environment };
  const node = new Program(command, port, { env, stdio: ['ignore', 'ignore', process.env.LOUD ? 'inherit' : 'ignore'] });
  await node.start();
  return Object.assign(node, { url: `http://127.0.0.1:${port}`, database, bus });
}
