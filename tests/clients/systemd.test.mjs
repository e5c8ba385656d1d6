/**
 * The service of the package as a node: systemd takes the unit with what `examples/systemd` adds to it, and the program runs with
 * the settings there as the unit runs it, its secrets shown by no list of processes.
 * Not for: the package (scripts/test-package), and what only a running systemd does.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { startNats } from './cluster.mjs';
import { startPostgres } from './postgres.mjs';
import { Program } from './program.mjs';
import { freePort, replaced } from './proxies.mjs';
import { within } from './sockets.mjs';
import { PROGRAM } from './support.mjs';

const INSTALLED = '/usr/bin/shopbell';
const read = (path) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

let folder;
let postgres;
let nats;
let node;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shopbell-systemd-'));
  await chmod(folder, 0o755);
});
after(async () => {
  await node?.stop();
  await nats?.stop('SIGKILL');
  await postgres?.stop('SIGQUIT');
  await rm(folder, { recursive: true, force: true });
});

test('systemd finds nothing wrong with the unit of a node', async () => {
  const unit = join(folder, 'shopbell.service');
  await writeFile(unit, replaced(await read('packaging/systemd/shopbell.service'), [[INSTALLED, PROGRAM]]));
  await mkdir(`${unit}.d`);
  await writeFile(join(`${unit}.d`, 'node.conf'), await read('examples/systemd/node.conf'));
  const env = { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` };
  const { stdout, stderr } = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', 'shopbell.service'], { env });
  // What it does not know it only warns of.
  assert.equal(stdout + stderr, '');
});

test('a node that the unit starts finds database and bus, and shows no secrets', async () => {
  [postgres, nats] = [await startPostgres(join(folder, 'database')), await startNats()];
  const [port, metrics, config] = [await freePort(), await freePort(), join(folder, 'shopbell.toml')];
  await writeFile(config, replaced(await read('examples/systemd/node.toml'), [
    ['10.0.0.11:3000', `127.0.0.1:${port}`],
    ['10.0.0.11:9300', `127.0.0.1:${metrics}`],
    ['db.internal/shopbell', `127.0.0.1:${postgres.port}/postgres`],
    ['nats.internal:4222', new URL(nats.url).host],
    ['/srv/shopbell/media', join(folder, 'media')],
  ]), { mode: 0o640 });
  const [, command] = /^ExecStart=(.*)$/m.exec(await read('packaging/systemd/shopbell.service'));
  const line = replaced(command, [[INSTALLED, PROGRAM], ['/etc/shopbell/shopbell.toml', config]]);
  node = new Program(line.split(' '), port, { cwd: folder, env: { PATH: process.env.PATH } });
  await node.start();
  const ready = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).json();
  await within((async () => {
    while ((await ready()).bus !== 'up') await new Promise((next) => { setTimeout(next, 50); });
  })(), 'the bus');
  assert.equal((await ready()).database, 'up');
  for (const shown of ['cmdline', 'environ']) {
    const text = await readFile(`/proc/${node.pid}/${shown}`, 'utf8');
    assert.ok(text.length > 0 && !text.includes('secret'), shown);
  }
});
