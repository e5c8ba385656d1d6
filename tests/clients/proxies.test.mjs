/**
 * The shop behind each proxy of `examples/proxy`: every transport, the visitor's own address, secure cookies, origins, large
 * bodies, HTTP/2.
 * Not for: certificates that a proxy gets by itself.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request } from 'node:https';
import { after, before, describe, test } from 'node:test';

import { WebSocket } from 'ws';

import { newGoods, newMember, order } from './people.mjs';
import { NAMES, startProxy } from './proxies.mjs';
import { CLIENTS, EventLog, within } from './sockets.mjs';
import { startShop } from './support.mjs';

const SITE = 'https://shop.example';
const { io } = CLIENTS.at(-1);
/** Of one address at a time. */
const MOST_SESSIONS = 8;

for (const name of NAMES) {
  describe(name, () => {
    let shop;
    let proxy;
    let buyer;
    let tea;
    let open = [];

    before(async () => {
      shop = await startShop(
        '--public-url', SITE, '--trusted-proxy', '127.0.0.1', '--audience', 'everyone',
        '--max-sessions-per-address', String(MOST_SESSIONS), '--max-connections-per-address', '1000',
      );
      proxy = await startProxy(name, shop);
      // By the way that has no proxy: what is made here is not what is tested.
      buyer = await newMember(shop, 'buyer');
      tea = await newGoods(shop, 'Test tea');
    });
    after(async () => {
      open.forEach((close) => close());
      await proxy?.stop();
      await shop?.stop();
    });

    const local = (from) => ({ localAddress: from, family: 4, lookup: toThisMachine, ca: proxy.ca });
    /** Connections of a visitor to `shop.example`, from one of this machine's addresses. */
    const visitor = (from) => {
      const agent = new Agent({ ...local(from), keepAlive: true });
      open.push(() => agent.destroy());
      return agent;
    };
    const at = (path) => `${SITE}:${proxy.https}${path}`;

    /** An answer, whole. */
    async function ask(path, { from = '127.0.0.1', method = 'GET', headers = {}, body } = {}) {
      const asked = request(at(path), { method, headers: { Host: 'shop.example', ...headers }, agent: visitor(from) }).end(body);
      const [answer] = await within(once(asked, 'response'), path);
      let text = '';
      for await (const chunk of answer) text += chunk;
      return { status: answer.statusCode, headers: answer.headers, text };
    }

    /** A session at `/ws`; its first message, or the status of the refusal. */
    async function listen(from, headers = {}) {
      const socket = new WebSocket(at('/ws'), { agent: visitor(from), headers: { Host: 'shop.example', Origin: SITE, ...headers } });
      open.push(() => socket.terminate());
      const opened = once(socket, 'message').then(([data]) => ({ socket, hello: JSON.parse(data) }));
      const refused = once(socket, 'unexpected-response').then(([, answer]) => ({ status: answer.statusCode }));
      // Whichever does not happen ends with the socket.
      opened.catch(() => {});
      refused.catch(() => {});
      return within(Promise.race([opened, refused]), 'a session at /ws');
    }

    for (const [way, options] of Object.entries({ polling: { transports: ['polling'] }, websocket: { transports: ['websocket'] }, upgrade: {} })) {
      test(`Socket.IO by ${way} hears an alert`, async () => {
        const socket = io(at('/'), { ...options, agent: visitor('127.0.1.1'), ca: proxy.ca, extraHeaders: { Host: 'shop.example', Origin: SITE }, forceNew: true });
        open.push(() => socket.disconnect());
        const log = new EventLog();
        socket.onAny((event, ...args) => log.record(event, ...args));
        if (way === 'upgrade') socket.io.engine.once('upgrade', () => log.record('upgraded'));
        socket.on('connect', () => log.record('connect'));
        socket.on('connect_error', (error) => log.record('refused', error.message));
        await log.waitFor('connect');
        if (way === 'upgrade') await log.waitFor('upgraded');
        assert.equal(socket.io.engine.transport.name, way === 'polling' ? 'polling' : 'websocket');
        await order(shop, buyer, tea);
        await log.waitFor('BUY_GOODS', ({ goodsName }) => goodsName === 'Test tea');
        assert.deepEqual(log.all('refused'), []);
        socket.disconnect();
      });
    }

    test('/ws hears an alert', async () => {
      const { socket, hello } = await listen('127.0.1.2');
      assert.equal(hello.type, 'hello');
      const alert = within(new Promise((resolve) => {
        socket.on('message', (data) => { if (JSON.parse(data).type === 'BUY_GOODS') resolve(); });
      }), 'an alert');
      await order(shop, buyer, tea);
      await alert;
      socket.close();
    });

    test('an event stream is passed on as it comes, over HTTP/2, too', async () => {
      const wire = connectHttp2(at(''), { ...local('127.0.1.3') });
      open.push(() => wire.destroy());
      await within(once(wire, 'connect'), 'HTTP/2');
      assert.equal(wire.alpnProtocol, 'h2');
      const stream = wire.request({ ':path': '/api/events', ':authority': 'shop.example', origin: SITE });
      let text = '';
      stream.on('data', (chunk) => {
        text += chunk;
        stream.emit('more');
      });
      const says = (part) => within((async () => {
        while (!text.includes(part)) await once(stream, 'more');
      })(), () => `${part} in ${text}`);
      // Nothing else comes before the order: a proxy that waits for more says nothing.
      await says('event: hello');
      const alert = says('event: BUY_GOODS');
      await order(shop, buyer, tea);
      await alert;
      wire.close();
      stream.close();
    });

    test('limits count for each visitor alone, whatever a visitor claims', async () => {
      const sessions = await Promise.all(Array.from({ length: MOST_SESSIONS }, () => listen('127.0.2.1')));
      assert.ok(sessions.every(({ hello }) => hello), JSON.stringify(sessions.map(({ status }) => status)));
      assert.equal((await listen('127.0.2.1')).status, 429);
      assert.equal((await listen('127.0.2.1', { 'X-Forwarded-For': '203.0.113.9' })).status, 429);
      const other = await listen('127.0.2.2');
      assert.equal(other.hello?.type, 'hello', `another visitor is let in, not ${other.status}`);
    });

    test('a log-in sets a cookie for HTTPS alone, and only pages of the site log in', async () => {
      const logIn = (origin) => ask('/api/auth', {
        method: 'POST', headers: { 'Content-Type': 'application/json', Origin: origin },
        body: JSON.stringify({ email: buyer.email, password: buyer.password }),
      });
      const welcome = await logIn(SITE);
      assert.equal(welcome.status, 200, welcome.text);
      assert.match(welcome.headers['set-cookie'][0], /; Secure/);
      const cookie = welcome.headers['set-cookie'][0].split(';')[0];
      const me = await ask('/api/users/me', { headers: { Cookie: cookie } });
      assert.equal(JSON.parse(me.text).user.nickname, 'buyer');
      const foreign = await logIn('https://evil.example');
      assert.deepEqual([foreign.status, JSON.parse(foreign.text).code], [403, 'origin_forbidden']);
      assert.equal((await listen('127.0.3.1', { Cookie: cookie, Origin: 'https://evil.example' })).status, 403);
    });

    test('what is too large is refused in the shop\'s own words', async () => {
      const body = 'x'.repeat(100_000);
      const refused = await ask('/api/users', { method: 'POST', headers: { 'Content-Type': 'application/json', Origin: SITE }, body });
      assert.deepEqual([refused.status, JSON.parse(refused.text).code], [413, 'body_too_large']);
    });

    test('plain HTTP leads to HTTPS, pages come packed, and what operators read stays inside', async () => {
      const asked = plainRequest({ host: '127.0.0.1', port: proxy.http, path: '/goods.html', headers: { Host: 'shop.example' } }).end();
      const [moved] = await within(once(asked, 'response'), 'plain HTTP');
      moved.resume();
      assert.equal(moved.statusCode, 308);
      assert.match(moved.headers.location, /^https:\/\/shop\.example(:\d+)?\/goods\.html$/);
      const page = await ask('/', { headers: { 'Accept-Encoding': 'gzip' } });
      assert.deepEqual([page.status, page.headers['content-encoding']], [200, 'gzip']);
      assert.match(page.headers['strict-transport-security'], /max-age=/);
      for (const path of ['/metrics', '/healthz', '/readyz']) assert.equal((await ask(path)).status, 404, path);
    });
  });
}

/** `shop.example` is here. */
function toThisMachine(host, options, found) {
  if (options.all) found(null, [{ address: '127.0.0.1', family: 4 }]);
  else found(null, '127.0.0.1', 4);
}
