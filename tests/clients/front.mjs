/**
 * The proxies of `examples/proxy` for several nodes, run as they are written but for ports and without TLS: each request goes
 * to the next node, whoever it is of.
 * Not for: one node behind a proxy (proxies.mjs).
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Program } from './program.mjs';
import { freePort, read, replaced } from './proxies.mjs';

/** The nodes' addresses in the examples. */
const NODES = ['10.0.0.11:3000', '10.0.0.12:3000', '10.0.0.13:3000'];
const PATH = `${process.env.PATH}:/usr/sbin`;

/** Each takes the nodes' addresses, a port to listen at and a folder, and returns a command to run. */
const PROXIES = {
  async nginx(nodes, port, folder) {
    const several = inPlaceOf(await read('nginx-nodes.conf'), 'server ', ' max_fails=1 fail_timeout=5s;', nodes);
    const upstream = /upstream shopbell \{[^}]*\}/;
    const single = await read('nginx.conf');
    const site = replaced(single.replace(upstream, () => upstream.exec(several)[0]), [
      ['    listen [::]:80;\n', ''],
      ['    listen [::]:443 ssl http2;\n', ''],
      ['listen 80;', `listen 127.0.0.1:${await freePort()};`],
      ['listen 443 ssl http2;', `listen 127.0.0.1:${port};`],
      ['    ssl_certificate     /etc/letsencrypt/live/shop.example/fullchain.pem;\n', ''],
      ['    ssl_certificate_key /etc/letsencrypt/live/shop.example/privkey.pem;\n', ''],
    ]);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/nginx-${name};`);
    const main = `pid ${folder}/nginx.pid; events { worker_connections 8192; } http { access_log off; ${temporary.join(' ')}\n${site}}`;
    const config = join(folder, 'nginx.conf');
    await writeFile(config, process.getuid() === 0 ? `user root; ${main}` : main);
    return ['nginx', '-p', folder, '-e', 'stderr', '-c', config, '-g', 'daemon off; error_log stderr crit;'];
  },
  async caddy(nodes, port, folder) {
    const site = replaced(inPlaceOf(await read('Caddyfile.nodes'), '', '', nodes), [['shop.example {', `http://127.0.0.1:${port} {`]]);
    const config = join(folder, 'Caddyfile');
    await writeFile(config, `{\n\tadmin off\n\tgrace_period 1s\n}\n${site}`);
    return ['caddy', 'run', '--adapter', 'caddyfile', '--config', config];
  },
};

/** The example with these nodes in the place of its own. */
function inPlaceOf(example, before, after, nodes) {
  const separator = before ? `${after}\n    ` : ' ';
  const list = (addresses) => addresses.map((address) => `${before}${address}`).join(separator) + after;
  return replaced(example, [[list(NODES), list(nodes)]]);
}

/** Starts a proxy in front of the nodes at these ports. */
export async function startFront(folder, ports, name = 'nginx') {
  const port = await freePort();
  const command = await PROXIES[name](ports.map((node) => `127.0.0.1:${node}`), port, folder);
  const env = { ...process.env, PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const front = new Program(command, port, { env });
  await front.start();
  return Object.assign(front, { url: `http://127.0.0.1:${port}` });
}
