/**
 * The toast widget on the page of another shop, with nothing but a listen key: another origin, a strict CSP of that page, no
 * cookie, no token, and the real program.
 * Not for: how toasts look on foreign pages (widget.test.mjs), or what a key opens (tests/it/listening).
 */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, afterEach, before, test } from 'node:test';

import { within } from './sockets.mjs';
import { openPage, startBrowser, startShop } from './support.mjs';

const SOCKET_IO = new URL('node_modules/socket.io-client-4-8/dist/socket.io.esm.min.js', import.meta.url);
let shop;
let browser;
let admin;
let shopper;
let sites = [];
let open = [];

before(async () => {
  shop = await startShop();
  browser = await startBrowser();
  [admin, shopper] = await Promise.all([logIn(shop.admin), logIn(shop.shopper)]);
});

after(async () => {
  await browser?.close();
  await shop?.stop();
});

afterEach(async () => {
  const problems = open.flatMap((page) => page.problems);
  await Promise.all(open.map((page) => page.context.close()));
  for (const site of sites) {
    site.server.close();
    site.server.closeAllConnections();
  }
  [open, sites] = [[], []];
  assert.deepEqual(problems, [], 'nothing goes wrong on any page');
});

/** Asks the shop's API and answers the body. */
async function ask(method, path, { token, body } = {}) {
  const response = await fetch(shop.url + path, {
    method,
    headers: { 'Content-Type': 'application/json', ...token && { Authorization: `Bearer ${token}` } },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.status === 204 ? null : response.json();
}

async function logIn(person) {
  return (await ask('POST', '/api/auth', { body: person })).token;
}

async function keyFor(origin, more = {}) {
  const made = await ask('POST', '/api/admin/listen-keys', { token: admin, body: { origins: [origin], ...more } });
  return made.listenKey.key;
}

const buy = () => ask('POST', '/api/orders', { token: shopper, body: { items: [{ goodsId: 1, quantity: 1 }] } });

/** A site of its own, at `localhost` or `127.0.0.1`, with one page; what a strict page lets in is the shop alone. */
async function site(html, host = 'localhost', more = '') {
  const policy = [
    "default-src 'none'", `script-src ${shop.url} ${more}`, `connect-src ${shop.url.replace('http:', 'ws:')} ${shop.url}`,
    `img-src ${shop.url} data:`, "require-trusted-types-for 'script'", "trusted-types 'none'",
  ].join('; ');
  const made = { html };
  made.server = createServer(async (request, response) => {
    if (request.url === '/socket.io.js') {
      response.setHeader('Content-Type', 'text/javascript');
      response.end(await readFile(SOCKET_IO));
      return;
    }
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.setHeader('Content-Security-Policy', policy);
    response.end(made.html);
  });
  await once(made.server.listen(0, host), 'listening');
  made.url = `http://${host}:${made.server.address().port}`;
  sites.push(made);
  return made;
}

const SCRIPT = () => `${shop.url}/toast.js`;
const page = (body, lang = 'en') => `<!doctype html><html lang="${lang}"><meta name="viewport" content="width=device-width">
  <link rel="icon" href="data:,"><title>Their shop</title><body><h1>Their shop</h1>${body}`;

/** Opens a page and waits until its widget is heard by the shop, or refused. */
async function visit(url, options) {
  const person = await openPage(browser, url, options);
  open.push(person);
  const sockets = [];
  person.page.on('websocket', (socket) => {
    const state = { url: socket.url(), hello: null };
    state.greeted = within(new Promise((resolve) => socket.on('framereceived', ({ payload }) => {
      const frame = JSON.parse(payload);
      if (frame.type === 'hello') resolve(frame.payload);
    })), 'hello').catch(() => null);
    state.closed = new Promise((resolve) => socket.on('close', resolve));
    sockets.push(state);
  });
  const first = person.page.waitForEvent('websocket');
  await person.page.goto('/');
  await first;
  return { ...person, sockets, toasts: person.page.locator('shopbell-toasts [data-role="toast"]') };
}

test('a script with a key is all that a page of another shop needs', async () => {
  const their = await site('');
  const key = await keyFor(their.url);
  their.html = page(`<script type="module" src="${SCRIPT()}" data-key="${key}" data-position="bottom-end"></script>`);
  const { toasts, sockets, context, page: tab } = await visit(their.url);
  const hello = await sockets[0].greeted;
  assert.equal(hello.user, null);
  await buy();
  await toasts.filter({ hasText: /^\S\*\* just ordered/ }).waitFor();
  assert.deepEqual(await context.cookies(), [], 'nobody is to be known again');
  assert.deepEqual(await tab.evaluate(() => [localStorage.length, sessionStorage.length]), [0, 0]);
  assert.equal(await toasts.locator('a').count(), 0, 'no link leads away from their shop');
  assert.equal(await tab.locator('shopbell-toasts').getAttribute('position'), 'bottom-end');
});

test('the old address of the script is the same file; one connection and one request for the script make all of it', async () => {
  const their = await site('');
  const key = await keyFor(their.url);
  their.html = page(`<script type="module" src="${shop.url}/widget/shopbell-toasts.js" data-key="${key}" data-atOnce="1"></script>`);
  const { toasts, sockets, page: tab } = await visit(their.url);
  await sockets[0].greeted;
  await buy();
  await toasts.first().waitFor();
  const asked = await tab.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname).sort());
  assert.deepEqual(asked.filter((path) => !path.endsWith('.svg')), ['/api/shop', '/widget/shopbell-toasts.js']);
});

test('what visitors do is counted, by the key and by nobody', async () => {
  const their = await site('');
  const key = await keyFor(their.url);
  their.html = page(`<script type="module" src="${SCRIPT()}" data-key="${key}"></script>`);
  const counts = async () => (await ask('GET', '/api/admin/figures', { token: admin })).widget;
  const before = await counts();
  const { toasts, sockets, page: tab } = await visit(their.url);
  await sockets[0].greeted;
  await buy();
  await toasts.first().locator('button').click();
  await tab.goto('about:blank');
  await within((async () => {
    for (let now = before; now.closed <= before.closed || now.shown <= before.shown; now = await counts()) {
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  })(), 'counts');
});

test('the client module, from another origin: typed in the shop\'s own tests, run in theirs', async () => {
  const their = await site('', 'localhost', "'nonce-of-a-test'");
  const key = await keyFor(their.url);
  their.html = page(`<script type="module" nonce="of-a-test">
    import { Shopbell } from '${shop.url}/client/shopbell.js';
    const shop = new Shopbell({ server: '${shop.url}', key: '${key}' });
    window.heard = [];
    shop.on('BUY_GOODS', ({ nickname }) => window.heard.push(nickname));
    shop.on('hello', () => { window.ready = shop.api.get('/notifications', { limit: 1 }).then(({ epoch }) => epoch === shop.epoch); });
    shop.open();
  </script>`);
  const { page: tab } = await visit(their.url);
  await tab.waitForFunction(() => window.ready);
  assert.equal(await tab.evaluate(() => window.ready), true);
  await buy();
  await tab.waitForFunction(() => window.heard.length === 1);
  assert.match(await tab.evaluate(() => window.heard[0]), /^\S\*\*$/);
});

test('the element takes a key, too, and says what it says in the page\'s language', async () => {
  const their = await site('', '127.0.0.1');
  const key = await keyFor(their.url, { display: 'full' });
  const href = `${shop.url}/detail.html?goodsId={goodsId}`;
  their.html = page(`<shopbell-toasts key="${key}" href="${href}"></shopbell-toasts><script type="module" src="${SCRIPT()}"></script>`, 'ko');
  const { toasts, sockets, page: tab } = await visit(their.url);
  await sockets[0].greeted;
  await buy();
  await toasts.filter({ hasText: /^[^*]+님이 .*주문했어요/ }).waitFor();
  assert.equal(await toasts.locator('a').getAttribute('href'), href.replace('{goodsId}', '1'));
  assert.equal(await tab.locator('shopbell-toasts').count(), 1);
});

test('a visitor who is logged in to the shop is nobody on another page', async () => {
  const their = await site('', '127.0.0.1');
  const key = await keyFor(their.url);
  their.html = page(`<script type="module" src="${SCRIPT()}" data-key="${key}"></script>`);
  const person = await openPage(browser, their.url);
  open.push(person);
  // The port is no part of a cookie's site: the browser sends this one with the handshake.
  const session = await person.context.request.post(`${shop.url}/api/auth`, { data: shop.shopper });
  assert.equal(session.status(), 200);
  const greeted = person.page.waitForEvent('websocket').then((socket) => socket.waitForEvent('framereceived'));
  await person.page.goto('/');
  assert.equal(JSON.parse((await greeted).payload).payload.user, null);
  await buy();
  await person.page.locator('shopbell-toasts [data-role="toast"]', { hasText: /^\S\*\* just ordered/ }).waitFor();
});

test('the same key on a page of a third origin hears nothing', async () => {
  const [their, third] = [await site(''), await site('')];
  const key = await keyFor(their.url);
  for (const one of [their, third]) one.html = page(`<script type="module" src="${SCRIPT()}" data-key="${key}"></script>`);
  const heard = await visit(their.url);
  const refused = await openPage(browser, third.url);
  open.push(refused);
  const said = [];
  refused.page.on('console', (message) => said.push(message.text()));
  // What the browser writes into its console is what this is about.
  refused.allow(403);
  const socket = refused.page.waitForEvent('websocket').then((one) => one.waitForEvent('socketerror'));
  await refused.page.goto('/');
  await socket;
  await heard.sockets[0].greeted;
  await buy();
  await heard.toasts.first().waitFor();
  assert.equal(await refused.page.locator('shopbell-toasts [data-role="toast"]').count(), 0);
  assert.ok(said.some((text) => text.includes('403')), said.join());
  refused.problems.length = 0;
});

test('the end of a key ends the toasts, and the page does not insist', async () => {
  const their = await site('');
  const key = await keyFor(their.url);
  their.html = page(`<script type="module" src="${SCRIPT()}" data-key="${key}"></script>`);
  const { sockets, page: tab } = await visit(their.url);
  await sockets[0].greeted;
  await ask('DELETE', `/api/admin/listen-keys/${key}`, { token: admin });
  await within(sockets[0].closed, 'the end');
  // What cuts a wait short does not begin one: a page comes back within half a second after this, if at all.
  await tab.evaluate(() => dispatchEvent(new Event('online')));
  await tab.evaluate(() => new Promise((resolve) => { setTimeout(resolve, 1_500); }));
  assert.equal(sockets.length, 1);
});

test('an order of their shop, signed by WooCommerce, rings on their page within a second of its webhook', async () => {
  const their = await site('', 'localhost', '');
  const key = await keyFor(their.url);
  their.html = page(`<script type="module" src="${SCRIPT()}" data-key="${key}"></script>`);
  const secret = 'a secret of WooCommerce &amp; theirs';
  const source = { kind: 'woocommerce', name: 'Their shop', secret };
  const { source: { sourceId } } = await ask('POST', '/api/admin/sources', { token: admin, body: source });
  const { toasts, sockets, context } = await visit(their.url);
  await sockets[0].greeted;

  const order = JSON.parse(await readFile(new URL('../fixtures/hooks/woocommerce/order.json', import.meta.url)));
  const image = `${shop.url}/images/goods/jasmine-tea.svg`;
  Object.assign(order.line_items[0], { name: 'Tea &amp; honey', image: { id: 1, src: image } });
  const now = new Date().toISOString().slice(0, 19);
  const body = JSON.stringify({ ...order, status: 'processing', date_created_gmt: now, date_modified_gmt: now, date_paid_gmt: now });
  // WooCommerce decodes the entities of a secret before it signs.
  const signature = createHmac('sha256', 'a secret of WooCommerce & theirs').update(body).digest('base64');
  const send = (topic, signed = signature) => fetch(`${shop.url}/hooks/${sourceId}`, {
    method: 'POST', body,
    headers: { 'Content-Type': 'application/json', 'X-WC-Webhook-Topic': topic, 'X-WC-Webhook-Signature': signed },
  });
  assert.equal((await send('order.created', signature.replace(/^./, (first) => first === 'A' ? 'B' : 'A'))).status, 401);
  const sent = performance.now();
  assert.equal((await send('order.created')).status, 200);
  const toast = toasts.filter({ hasText: 'Tea & honey' });
  await toast.waitFor();
  const took = performance.now() - sent;
  assert.ok(took < 1_000, `${took} ms`);
  assert.match(await toast.innerText(), /^\S\*\* just ordered Tea & honey and 1 more item/);
  assert.equal(await toast.locator('img').getAttribute('src'), image);
  // Once, however often it is told.
  assert.equal((await send('order.updated')).status, 200);
  const listed = await fetch(`${shop.url}/api/notifications?after=0&key=${key}`, { headers: { Origin: their.url } });
  const told = (await listed.json()).notifications.filter(({ data }) => data.firstGoodsName === 'Tea & honey');
  assert.equal(told.length, 1);
  assert.equal(await toasts.count(), 1);
  assert.deepEqual(await context.cookies(), []);
});

test('what a browser offers beside WebSockets works from another origin as well, and from no third', async () => {
  const nonce = "'nonce-of-a-test' 'self'";
  const [their, third] = [await site('', 'localhost', nonce), await site('', 'localhost', nonce)];
  const key = await keyFor(their.url);
  for (const one of [their, third]) {
    one.html = page(`<script type="module" nonce="of-a-test">
      import { io } from '/socket.io.js';
      const heard = window.heard = {};
      const hear = (way) => (told) => { heard[way] = told.nickname; };
      for (const transport of ['polling', 'websocket']) {
        const socket = io('${shop.url}', { auth: { key: '${key}' }, transports: [transport], forceNew: true, reconnection: false });
        socket.on('BUY_GOODS', hear(transport));
        socket.on('connect', () => { heard[transport] = 'connected'; });
        socket.on('connect_error', () => { heard[transport] = 'refused'; });
      }
      const stream = new EventSource('${shop.url}/api/events?key=${key}');
      stream.addEventListener('hello', () => { heard.stream = 'connected'; });
      stream.addEventListener('BUY_GOODS', (event) => hear('stream')(JSON.parse(event.data)));
      stream.addEventListener('error', () => { if (stream.readyState === EventSource.CLOSED) heard.stream = 'refused'; });
      window.list = () => fetch('${shop.url}/api/notifications?limit=1&key=${key}', { headers: { 'Last-Event-ID': '1' } })
        .then((response) => response.json()).then(({ notifications: [{ data }] }) => data.nickname, () => 'refused');
    </script>`);
  }
  const ways = async (url) => {
    const person = await openPage(browser, url);
    open.push(person);
    await person.page.goto('/');
    await person.page.waitForFunction(() => Object.keys(window.heard ?? {}).length === 3);
    return person;
  };
  const [heard, refused] = [await ways(their.url), await ways(third.url)];
  await buy();
  await heard.page.waitForFunction(() => Object.values(window.heard).every((name) => /^.\*\*$/.test(name)));
  assert.match(await heard.page.evaluate(() => window.list()), /^.\*\*$/);
  assert.deepEqual(await heard.context.cookies(), []);
  assert.deepEqual(await refused.page.evaluate(() => window.heard), { polling: 'refused', websocket: 'refused', stream: 'refused' });
  assert.equal(await refused.page.evaluate(() => window.list()), 'refused');
  // The browser's console is full of it.
  refused.problems.length = 0;
});
