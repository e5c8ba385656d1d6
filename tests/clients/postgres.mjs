/**
 * PostgreSQL servers of the tests' own: a primary, and standbys that follow it and can take its place.
 * Not for: who uses them.
 */

import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Program } from './program.mjs';
import { freePort } from './proxies.mjs';
import { DEADLINE_MS } from './support.mjs';

const HOST = '127.0.0.1';
const USER = 'shopbell';
const DATABASE = 'postgres';
const run = promisify(execFile);

/** It does not run as root: Debian's package makes an account for it. */
const AS_POSTGRES = process.getuid() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];

const versions = await readdir('/usr/lib/postgresql');
/** Where its programs are. */
export const BIN = `/usr/lib/postgresql/${Math.max(...versions.map(Number))}/bin`;

/** The command of one of its programs. */
const command = (name, ...args) => [...AS_POSTGRES, `${BIN}/${name}`, ...args];

/** A folder that is PostgreSQL's own. */
async function ownFolder(folder) {
  await mkdir(folder, { recursive: true });
  if (AS_POSTGRES.length > 0) execFileSync('chown', ['postgres', folder]);
}

function finish([program, ...args], folder) {
  return run(program, args, { cwd: folder, timeout: DEADLINE_MS });
}

/** A server over the data in a folder. */
class Postgres extends Program {
  static async over(folder) {
    const [port, data] = [await freePort(), join(folder, 'data')];
    const settings = { port, listen_addresses: HOST, unix_socket_directories: folder, max_connections: 100 };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = new Postgres(command('postgres', '-D', data, ...options), port, { cwd: folder });
    Object.assign(server, { folder, data });
    await server.start();
    return server;
  }

  /** It takes connections before it lets anyone in. */
  async start() {
    await super.start();
    const end = Date.now() + DEADLINE_MS;
    const isReady = () => this.run('pg_isready', '-q', '-h', HOST, '-p', String(this.port)).then(() => true, () => false);
    while (!await isReady()) {
      if (Date.now() > end) throw new Error('PostgreSQL lets nobody in');
    }
  }

  get url() {
    return this.urlAt(this.port);
  }

  /** Where its database is for who comes through another port. */
  urlAt(port, database = DATABASE) {
    return `postgres://${USER}@${HOST}:${port}/${database}`;
  }

  /** Runs a statement, and returns the lines of the answer. */
  async sql(statement, url = this.url) {
    const { stdout } = await this.run('psql', '-qAt', '-v', 'ON_ERROR_STOP=1', '-d', url, '-c', statement);
    return stdout.trim().split('\n');
  }

  /** Runs a program of PostgreSQL's. */
  run(name, ...args) {
    return finish(command(name, ...args), this.folder);
  }

  /** Another server that follows this one: what is committed here is there first. */
  async standby(folder) {
    await ownFolder(folder);
    await this.run('pg_basebackup', '-R', '-X', 'stream', '-c', 'fast', '-D', join(folder, 'data'), '-d', this.url);
    const standby = await Postgres.over(folder);
    // It waits for whoever follows; nobody does until the standby has come.
    await this.sql("alter system set synchronous_standby_names = '*'");
    await this.sql('select pg_reload_conf()');
    return standby;
  }

  /** Ends following: this is the primary now. */
  promote() {
    return this.run('pg_ctl', 'promote', '-w', '-D', this.data);
  }
}

/** Starts a server with an empty database. */
export async function startPostgres(folder) {
  await ownFolder(folder);
  await chmod(folder, 0o755);
  await finish(command('initdb', '-D', join(folder, 'data'), '-U', USER, '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'), folder);
  return Postgres.over(folder);
}
