/**
 * The proxies of `examples/proxy`, run as they are written but for ports, paths and the certificate.
 * Not for: what is tried through them (proxies.test.mjs).
 */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DEADLINE_MS } from './support.mjs';

/** An example, as it is written. */
export const read = (name) => readFile(new URL(`../../examples/proxy/${name}`, import.meta.url), 'utf8');

/** Each takes where the shop is, free ports and a folder with `cert.pem` and `key.pem`, and returns a command to run. */
const PROXIES = {
  async nginx(shop, { http, https }, folder) {
    const site = replaced(await read('nginx.conf'), [
      ['server 127.0.0.1:3000;', `server ${shop};`],
      ['    listen [::]:80;\n', ''],
      ['    listen [::]:443 ssl http2;\n', ''],
      ['listen 80;', `listen ${http};`],
      ['listen 443 ssl', `listen ${https} ssl`],
      ['/etc/letsencrypt/live/shop.example/fullchain.pem', join(folder, 'cert.pem')],
      ['/etc/letsencrypt/live/shop.example/privkey.pem', join(folder, 'key.pem')],
    ]);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
    const main = `pid ${folder}/pid; events {} http { access_log off; ${temporary.join(' ')}\n${site}}`;
    await writeFile(join(folder, 'nginx.conf'), process.getuid() === 0 ? `user root; ${main}` : main);
    return ['nginx', ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf'), '-g', 'daemon off; error_log stderr;']];
  },
  async caddy(shop, { http, https }, folder) {
    const site = replaced(await read('Caddyfile'), [
      ['shop.example {', `shop.example {\n\ttls ${folder}/cert.pem ${folder}/key.pem`],
      ['reverse_proxy 127.0.0.1:3000', `reverse_proxy ${shop}`],
    ]);
    await writeFile(join(folder, 'Caddyfile'), `{\n\tadmin off\n\thttp_port ${http}\n\thttps_port ${https}\n}\n${site}`);
    return ['caddy', ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')]];
  },
};

export const NAMES = Object.keys(PROXIES);

/** The text with each part replaced; every part must be there. */
export function replaced(text, parts) {
  return parts.reduce((changed, [part, other]) => {
    if (!changed.includes(part)) throw new Error(`the example has no ${part}`);
    return changed.replace(part, () => other);
  }, text);
}

/**
 * Starts a proxy in front of the shop. Returns its ports, the certificate of `shop.example`, and how to stop it. A port that
 * was free may be taken by the time that the proxy wants it; then others are tried.
 */
export async function startProxy(name, shop, tries = 3) {
  const folder = await mkdtemp(join(tmpdir(), `shopbell-${name}-`));
  await chmod(folder, 0o755);
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=shop.example',
    '-addext', 'subjectAltName=DNS:shop.example', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem'),
  ], { stdio: 'ignore' });
  const ports = { http: await freePort(), https: await freePort() };
  const [program, args] = await PROXIES[name](new URL(shop.url).host, ports, folder);
  let said = '';
  const child = spawn(program, args, {
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, PATH: `${process.env.PATH}:/usr/sbin` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { said = (said + chunk).slice(-4000); });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  await once(child, 'spawn');
  try {
    await Promise.all(Object.values(ports).map((port) => listens(port, () => child.exitCode === null)));
  } catch (error) {
    await stop();
    if (tries > 1) return startProxy(name, shop, tries - 1);
    throw new Error(`${name} does not start: ${said}`, { cause: error });
  }
  return { ...ports, ca: await readFile(join(folder, 'cert.pem')), stop };
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until someone takes connections there. */
export async function listens(port, goesOn) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
    socket.destroy();
    if (open) return;
    if (Date.now() > end || !goesOn()) throw new Error(`nobody listens at ${port}`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}
