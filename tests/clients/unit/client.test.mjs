// @ts-check
/**
 * The client module's REST half: what is sent, and what a refusal becomes. Its connection is tested in connection.test.mjs.
 */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { Api, ApiError, Shopbell } from '../../../assets/client/shopbell.js';

/** @type {{url: string, init: any}[]} */
let sent = [];
/** @type {(Response | Error)[]} */
let answers = [];

beforeEach(() => {
  sent = [];
  answers = [];
  mock.method(globalThis, 'fetch', async (/** @type {URL} */ url, /** @type {any} */ init) => {
    sent.push({ url: String(url), init });
    const answer = answers.shift() ?? new Response('{}');
    if (answer instanceof Error) throw answer;
    return answer;
  });
});

afterEach(() => mock.restoreAll());

const json = (/** @type {unknown} */ body, /** @type {ResponseInit} */ init = {}) => new Response(JSON.stringify(body), init);
const server = 'https://shop.example';

test('a token, a key or the cookie says who asks, and only one of them', async () => {
  await new Api({ server, token: 'x.y.z' }).get('/orders', { limit: 2, cursor: undefined });
  await new Api({ server, key: 'lk_0', token: 'x.y.z' }).get('/notifications');
  await new Api({ server }).get('/goods');
  assert.deepEqual(sent.map(({ url }) => url), [`${server}/api/orders?limit=2`, `${server}/api/notifications?key=lk_0`, `${server}/api/goods`]);
  assert.deepEqual(sent.map(({ init }) => [init.headers.Authorization, init.credentials]),
    [['Bearer x.y.z', 'omit'], [undefined, 'omit'], [undefined, 'include']]);
});

test('a refusal is an error with its code, and so is a page of something in between', async () => {
  const api = new Api({ server });
  answers = [
    json({ code: 'validation', errorMessage: 'No.', errors: [{ field: 'price', code: 'required', message: 'A price.' }] }, { status: 400 }),
    new Response('<html>', { status: 502, headers: { 'Retry-After': '7' } }),
    new Response(null, { status: 204 }),
  ];
  await assert.rejects(api.request('POST', '/goods', { body: { name: 'Tea' } }), (/** @type {any} */ error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.status, error.code, error.message, error.errors[0].field], [400, 'validation', 'No.', 'price']);
    return true;
  });
  await assert.rejects(api.get('/goods'), { status: 502, code: null, retryAfter: 7 });
  assert.equal(await api.request('DELETE', '/auth'), null);
  assert.deepEqual([sent[0].init.body, sent[0].init.headers['Content-Type']], ['{"name":"Tea"}', 'application/json']);
});

test('a list is read to its end', async () => {
  answers = [json({ goods: [1, 2], nextCursor: 'c' }), json({ goods: [3] })];
  const all = [];
  for await (const goods of new Api({ server }).pages('/goods', 'goods', { q: 'tea' })) all.push(goods);
  assert.deepEqual(all, [1, 2, 3]);
  assert.deepEqual(sent.map(({ url }) => new URL(url).search), ['?q=tea', '?q=tea&cursor=c']);
});

test('an order is sent again under the same key while nobody answers, and not when it is refused', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const shop = new Shopbell({ server, token: 'x' });
  answers = [new TypeError('lost'), json({ order: { orderId: 5 }, id: 9 }, { status: 201 })];
  const placed = shop.api.placeOrder([{ goodsId: 1, quantity: 2 }]);
  while (sent.length < 2) {
    await new Promise((resolve) => { setImmediate(resolve); });
    mock.timers.tick(1_000);
  }
  assert.equal((await placed).id, 9);
  const keys = sent.map(({ init }) => init.headers['Idempotency-Key']);
  assert.ok(keys[0] && keys[0] === keys[1]);
  answers = [json({ code: 'out_of_stock' }, { status: 409 })];
  await assert.rejects(shop.api.placeOrder([{ goodsId: 1, quantity: 2 }]), { code: 'out_of_stock' });
  assert.equal(sent.length, 3);
  mock.timers.reset();
});

test('an order has a key of its own also without a secure context', async (t) => {
  const { randomUUID } = crypto;
  Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true });
  t.after(() => Object.defineProperty(crypto, 'randomUUID', { value: randomUUID, configurable: true }));
  await new Api({ server }).placeOrder([{ goodsId: 1, quantity: 2 }]);
  assert.match(sent[0].init.headers['Idempotency-Key'], /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
});

test('what is heard is called back with, until it is ended', () => {
  const shop = new Shopbell({ server });
  /** @type {any[]} */
  const heard = [];
  const end = shop.on('BUY_GOODS', (alert) => heard.push(alert.id));
  shop.dispatchEvent(new CustomEvent('BUY_GOODS', { detail: { id: 1 } }));
  end();
  shop.dispatchEvent(new CustomEvent('BUY_GOODS', { detail: { id: 2 } }));
  assert.deepEqual(heard, [1]);
});
