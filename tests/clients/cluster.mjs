/**
 * A shop of several nodes: PostgreSQL, NATS, the program as often as there are nodes, each with lines to both that can be cut,
 * and nginx in front that goes round.
 * Not for: who comes to it (cluster.test.mjs, nodes.test.mjs).
 */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort, listens } from './proxies.mjs';
import { openProxy } from './sockets.mjs';
import { PROGRAM, RATES, end, startDemo } from './support.mjs';

const PATH = `${process.env.PATH}:/usr/sbin`;

/** PostgreSQL does not run as root: Debian's package makes an account for it. */
const AS_POSTGRES = process.getuid() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];

/** A program that can be ended and started again, at the same port. */
class Program {
  #child;

  constructor(command, port, options = {}) {
    Object.assign(this, { command, port, options });
  }

  async start() {
    const [program, ...args] = this.command;
    this.#child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'], ...this.options });
    await once(this.#child, 'spawn');
    await listens(this.port, () => this.#child.exitCode === null);
  }

  async stop(signal) {
    if (this.#child) await end(this.#child, signal);
  }
}

async function newestPostgres() {
  const versions = await readdir('/usr/lib/postgresql');
  return `/usr/lib/postgresql/${Math.max(...versions.map(Number))}/bin`;
}

async function startPostgres(folder) {
  const [bin, port, data] = [await newestPostgres(), await freePort(), join(folder, 'data')];
  if (AS_POSTGRES.length > 0) execFileSync('chown', ['postgres', folder]);
  const [first, ...rest] = [...AS_POSTGRES, `${bin}/initdb`, '-D', data, '-U', 'shopbell', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
  execFileSync(first, rest, { stdio: 'ignore', cwd: folder });
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: folder, max_connections: 100 };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const postgres = new Program([...AS_POSTGRES, `${bin}/postgres`, '-D', data, ...options], port, { cwd: folder });
  await postgres.start();
  return postgres;
}

/** The bus: `url`, and `stop()` and `start()`. */
export async function startNats() {
  const port = await freePort();
  const nats = new Program(['nats-server', '-a', '127.0.0.1', '-p', String(port)], port, { env: { PATH } });
  await nats.start();
  return Object.assign(nats, { url: `nats://127.0.0.1:${port}` });
}

/** In front of the nodes at these ports: each request goes to the next one, whoever it is of. */
export async function startFront(folder, ports) {
  const [port, root] = [await freePort(), join(folder, 'nginx')];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${root}_${name};`);
  const config = `
    ${process.getuid() === 0 ? 'user root;' : ''}
    pid ${root}.pid;
    events { worker_connections 8192; }
    http {
      access_log off; ${temporary.join(' ')}
      map $http_upgrade $shopbell_connection { default upgrade; '' ''; }
      upstream shopbell { ${ports.map((port) => `server 127.0.0.1:${port} max_fails=1 fail_timeout=1s;`).join(' ')} }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://shopbell;
          proxy_http_version 1.1;
          proxy_set_header Host $http_host;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection $shopbell_connection;
          proxy_connect_timeout 2s;
          proxy_read_timeout 90s;
        }
      }
    }`;
  await writeFile(`${root}.conf`, config);
  const command = ['nginx', '-p', folder, '-e', 'stderr', '-c', `${root}.conf`, '-g', 'daemon off; error_log stderr crit;'];
  const front = new Program(command, port, { env: { ...process.env, PATH } });
  await front.start();
  return Object.assign(front, { url: `http://127.0.0.1:${port}` });
}

/**
 * Starts all of it with the demo's people and goods. Each node has `database` and `bus`, its lines, to `cut()` and
 * `restore()`; `stop()` and `start()` are of the node.
 */
export async function startCluster({ nodes: count = 3, args = [] } = {}) {
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
    const database = join(folder, 'database');
    await mkdir(database);
    [cluster.postgres, cluster.nats] = [await startPostgres(database), await startNats()];
    cluster.demo = await demo(cluster, args);
    for (let n = 0; n < count; n += 1) cluster.nodes.push(await startNode(cluster, args));
    cluster.front = await startFront(folder, cluster.nodes.map(({ port }) => port));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  cluster.url = cluster.front.url;
  return cluster;
}

const urlOf = (port) => `postgres://shopbell@127.0.0.1:${port}/postgres`;

/** Makes the demo's people and goods, and says who they are. */
async function demo(cluster, args) {
  const { child, said } = await startDemo(urlOf(cluster.postgres.port), 'demo admin:', ['--addr', '127.0.0.1:0', ...args]);
  await end(child);
  return said;
}

async function startNode(cluster, args) {
  const [port, database, bus] = [
    await freePort(),
    await openProxy(`http://127.0.0.1:${cluster.postgres.port}`),
    await openProxy(cluster.nats.url),
  ];
  const busUrl = bus.url.replace('http:', 'nats:');
  const command = [
    PROGRAM, 'serve', '--addr', `127.0.0.1:${port}`, '--bus', busUrl, '--drain-timeout', '1s',
    '--media', join(cluster.folder, 'media'), ...RATES, ...args,
  ];
  const env = { ...process.env, DATABASE_URL: urlOf(new URL(database.url).port), RUST_LOG: 'warn' };
  const node = new Program(command, port, { env, stdio: ['ignore', 'ignore', process.env.LOUD ? 'inherit' : 'ignore'] });
  await node.start();
  return Object.assign(node, { database, bus });
}
