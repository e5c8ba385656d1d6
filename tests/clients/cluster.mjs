/**
 * A shop of several nodes: PostgreSQL, NATS, the program as often as there are nodes, each with lines to both that can be cut,
 * and nginx in front that goes round.
 * Not for: who comes to it (cluster.test.mjs).
 */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { freePort, listens } from './proxies.mjs';
import { openProxy } from './sockets.mjs';

const PROGRAM = process.env.SHOPBELL ?? new URL('../../target/debug/shopbell', import.meta.url).pathname;
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

  async stop(signal = 'SIGTERM') {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
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

async function startNats() {
  const port = await freePort();
  const nats = new Program(['nats-server', '-a', '127.0.0.1', '-p', String(port)], port, { env: { PATH } });
  await nats.start();
  return nats;
}

/** In front of all nodes: each request goes to the next one, whoever it is of. */
async function startFront(folder, nodes) {
  const [port, root] = [await freePort(), join(folder, 'nginx')];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${root}_${name};`);
  const config = `
    ${process.getuid() === 0 ? 'user root;' : ''}
    pid ${root}.pid;
    events { worker_connections 8192; }
    http {
      access_log off; ${temporary.join(' ')}
      map $http_upgrade $shopbell_connection { default upgrade; '' ''; }
      upstream shopbell { ${nodes.map((node) => `server 127.0.0.1:${node.port} max_fails=1 fail_timeout=1s;`).join(' ')} }
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
  return front;
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
    execFileSync('mkdir', [database]);
    [cluster.postgres, cluster.nats] = [await startPostgres(database), await startNats()];
    cluster.demo = await demo(cluster, args);
    for (let n = 0; n < count; n += 1) cluster.nodes.push(await startNode(cluster, args));
    cluster.front = await startFront(folder, cluster.nodes);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  cluster.url = `http://127.0.0.1:${cluster.front.port}`;
  return cluster;
}

const urlOf = (port) => `postgres://shopbell@127.0.0.1:${port}/postgres`;

/** Makes the demo's people and goods, and says who they are. */
async function demo(cluster, args) {
  const child = spawn(PROGRAM, ['serve', '--demo', '--addr', '127.0.0.1:0', ...args], {
    env: { ...process.env, DATABASE_URL: urlOf(cluster.postgres.port), RUST_LOG: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const people = {};
  for await (const line of createInterface({ input: child.stdout })) {
    const [, who, email, password] = /^demo (shopper|admin): (\S+) (\S+)$/.exec(line) ?? [];
    if (who) people[who] = { email, password };
    if (who === 'admin') break;
  }
  const ended = once(child, 'exit');
  child.stdout.resume();
  child.kill('SIGTERM');
  await ended;
  return people;
}

async function startNode(cluster, args) {
  const [port, database, bus] = [
    await freePort(),
    await openProxy(`http://127.0.0.1:${cluster.postgres.port}`),
    await openProxy(`http://127.0.0.1:${cluster.nats.port}`),
  ];
  const busUrl = bus.url.replace('http:', 'nats:');
  const rates = ['--registration-rate', '100000', '--order-rate', '100000', '--handshake-rate', '100000'];
  const command = [
    PROGRAM, 'serve', '--addr', `127.0.0.1:${port}`, '--bus', busUrl, '--drain-timeout', '1s',
    '--media', join(cluster.folder, 'media'), ...rates, ...args,
  ];
  const env = { ...process.env, DATABASE_URL: urlOf(new URL(database.url).port), RUST_LOG: 'warn' };
  const node = new Program(command, port, { env, stdio: ['ignore', 'ignore', process.env.LOUD ? 'inherit' : 'ignore'] });
  await node.start();
  return Object.assign(node, { database, bus });
}
