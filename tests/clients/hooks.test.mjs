/**
 * Orders of other shops, signed by the libraries that their makers publish: what these sign is believed, what they refuse is
 * refused, and the alert is heard.
 */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import '@shopify/shopify-api/adapters/node';
import { LogSeverity, shopifyApi } from '@shopify/shopify-api';
import { createSHA256HMAC } from '@shopify/shopify-api/runtime';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as SvixWebhook } from 'svix';

import { logIn } from './people.mjs';
import { startShop } from './support.mjs';

let shop;
let admin;

before(async () => {
  shop = await startShop('--audience', 'everyone');
  admin = await logIn(shop, shop.admin);
});
after(() => shop.stop());

async function api(method, path, body) {
  const answer = await fetch(`${shop.url}/api${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${admin.token}` },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}

/** A new source: its URL and its secret. */
async function newSource(kind, settings = {}) {
  const { source, secret } = await api('POST', '/admin/sources', { kind, name: `a ${kind} shop`, ...settings });
  return { id: source.sourceId, url: `${shop.url}/hooks/${source.sourceId}`, secret: secret ?? settings.secret };
}

async function post(source, body, headers) {
  const answer = await fetch(source.url, { method: 'POST', body, headers });
  return { status: answer.status, body: await answer.json() };
}

/** That a request was refused because of who signed it, or when, and that nothing became of it. */
async function assertRefused(source, body, headers, what) {
  const { status, body: problem } = await post(source, body, headers);
  assert.equal(status, 401, what);
  assert.equal(problem.code, 'bad_signature', what);
}

/** The alerts of goods of a name, over REST. */
async function alerts(goodsName) {
  const { notifications } = await api('GET', '/notifications?limit=1000');
  return notifications.filter(({ data }) => data.goodsName === goodsName);
}

/** A fixture whose times are of now, and whose order is this test's own. */
async function fixture(path, replaced = {}) {
  let text = await readFile(new URL(`../fixtures/hooks/${path}`, import.meta.url), 'utf8');
  for (const [from, to] of Object.entries(replaced)) {
    assert.ok(text.includes(from), from);
    text = text.replaceAll(from, to);
  }
  return text;
}

const second = () => Math.floor(Date.now() / 1000);
const iso = () => new Date().toISOString();

/** The ways to spoil what is written in base64. */
const spoiled = (signature) => [
  '',
  signature.slice(0, -1),
  signature.slice(0, -2),
  signature + signature,
  signature.replace(/=+$/, ''),
  Buffer.from(signature, 'base64').toString('hex'),
];

for (const [name, Webhook] of [['standardwebhooks', StandardWebhook], ['svix', SvixWebhook]]) {
  describe(`Standard Webhooks, signed by ${name}`, () => {
    let source;
    let webhook;
    before(async () => {
      source = await newSource('standard', { buyer: 'first-name' });
      webhook = new Webhook(source.secret);
    });

    const order = (id, goods) => JSON.stringify({
      type: 'order.paid',
      timestamp: iso(),
      data: { orderId: id, buyer: 'Zoë', items: [{ name: goods, quantity: 2, price: 9.9 }] },
    });
    const signed = (body, id, at = new Date()) => ({
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': webhook.sign(id, at, body),
    });

    test('what it signs is told, once', async () => {
      const goods = `${name} mug – ‹é›`;
      const body = order(1, goods);
      const headers = signed(body, 'msg_1');
      webhook.verify(body, headers);
      for (const again of [false, true]) {
        const { status, body: answer } = await post(source, body, headers);
        assert.equal(status, 200, JSON.stringify(answer));
        assert.equal(answer.outcome, again ? 'unchanged' : 'told', answer.why);
      }
      const [alert, ...others] = await alerts(goods);
      assert.equal(others.length, 0);
      assert.equal(alert.data.nickname, 'Zoë');
      assert.equal(alert.data.quantity, 2);
    });

    test('one of several signatures is enough, as it is for the library', async () => {
      const body = order(2, 'several');
      const headers = signed(body, 'msg_2');
      headers['webhook-signature'] = `v1a,AAAA v1,AAAA ${headers['webhook-signature']} v2,AAAA`;
      webhook.verify(body, headers);
      assert.equal((await post(source, body, headers)).status, 200);
    });

    test('what the library refuses is refused', async () => {
      const body = order(3, 'never');
      const good = signed(body, 'msg_3');
      const other = new Webhook(`whsec_${Buffer.alloc(32, 7).toString('base64')}`);
      const bad = [
        { ...good, 'webhook-id': 'msg_4' },
        { ...good, 'webhook-signature': other.sign('msg_3', new Date(), body) },
        { ...good, 'webhook-timestamp': String(second() - 1) },
        signed(body, 'msg_3', new Date(Date.now() - 301_000 - 1000)),
        signed(body, 'msg_3', new Date(Date.now() + 301_000 + 1000)),
        signed(`${body} `, 'msg_3'),
        ...spoiled(good['webhook-signature'].slice(3)).map((text) => ({ ...good, 'webhook-signature': `v1,${text}` })),
        ...['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((header) => ({ ...good, [header]: '' })),
      ];
      for (const headers of bad) {
        assert.throws(() => webhook.verify(body, headers), JSON.stringify(headers));
        await assertRefused(source, body, headers, JSON.stringify(headers));
      }
      // The library reads no further than a second comma, which is what a proxy makes of a header that is sent twice.
      const doubled = { ...good, 'webhook-signature': `${good['webhook-signature']},${good['webhook-signature']}` };
      await assertRefused(source, body, doubled, 'doubled');
      assert.equal((await alerts('never')).length, 0);
    });

    test('while a secret is being rotated both hold', async () => {
      const { secret } = await api('POST', `/admin/sources/${source.id}/rotate`, {});
      const next = new Webhook(secret);
      const body = order(5, 'rotated');
      const at = new Date();
      const headers = { ...signed(body, 'msg_5', at), 'webhook-signature': next.sign('msg_5', at, body) };
      assert.equal((await post(source, body, headers)).status, 200);
      assert.equal((await post(source, body, signed(body, 'msg_5'))).status, 200);
    });
  });
}

describe('a script with the bearer secret', () => {
  test('announces an order in one line', async () => {
    const source = await newSource('standard');
    const body = '{"type": "order.paid", "data": {"orderId": "1001", "buyer": "Kim", "items": [{"name": "Bearer mug"}]}}';
    const { status, body: answer } = await post(source, body, { Authorization: `Bearer ${source.secret}` });
    assert.equal(status, 200);
    assert.equal(answer.outcome, 'told');
    assert.equal((await alerts('Bearer mug'))[0].data.nickname, 'K**');
    await assertRefused(source, body, { Authorization: `Bearer ${source.secret}x` });
    await assertRefused(source, body, {});
  });
});

describe('Stripe, signed by stripe', () => {
  const stripe = new Stripe('sk_test_of_nobody');
  const secret = 'whsec_as+it/stands';
  let source;
  before(async () => {
    source = await newSource('stripe', { secret, goodsName: 'Something' });
  });

  const event = (order) => fixture('stripe/checkout.session.completed.json', {
    '1795607940': String(second()),
    pi_3Test0001: order,
    'Print <A3>': `Print ${order}`,
    'PRINT-A3': `SKU-${order}`,
  });
  const header = (payload, options = {}) =>
    stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: second(), ...options });

  test('what it signs is told', async () => {
    const payload = await event('pi_1');
    const signature = header(payload);
    stripe.webhooks.constructEvent(payload, signature, secret);
    const { status, body: answer } = await post(source, payload, { 'Stripe-Signature': signature });
    assert.equal(status, 200, JSON.stringify(answer));
    assert.equal(answer.outcome, 'told', answer.why);
    assert.equal((await alerts('Print pi_1')).length, 1);
    // And is taken back by a refund in whole.
    const refund = await fixture('stripe/charge.refunded.json', { pi_3Test0001: 'pi_1' });
    const { body: taken } = await post(source, refund, { 'Stripe-Signature': header(refund) });
    assert.equal(taken.outcome, 'withdrawn', taken.why);
  });

  test('what it refuses is refused', async () => {
    const payload = await event('pi_2');
    const good = header(payload);
    const bad = [
      header(payload, { secret: 'whsec_another' }),
      header(payload, { timestamp: second() - 302 }),
      header(`${payload} `),
      header(payload, { scheme: 'v0' }),
      good.replace(/t=\d+/, `t=${second() - 1}`),
      good.slice(0, -1),
      `${good}00`,
      good.replace(/v1=(.*)/, (_, hex) => `v1=${Buffer.from(hex, 'hex').toString('base64')}`),
      good.replace(/v1=(.*)/, (_, hex) => `v1=${hex.toUpperCase()}`),
      '',
    ];
    for (const signature of bad) {
      assert.throws(() => stripe.webhooks.constructEvent(payload, signature, secret), signature);
      await assertRefused(source, payload, { 'Stripe-Signature': signature }, signature);
    }
    // The library lets these pass: the future is no time to be signed in.
    await assertRefused(source, payload, { 'Stripe-Signature': header(payload, { timestamp: second() + 302 }) });
    assert.equal((await alerts('Print pi_2')).length, 0);
  });

  test('a test event is kept and not told', async () => {
    const payload = (await event('pi_3')).replaceAll('"livemode": true', '"livemode": false');
    const { body: answer } = await post(source, payload, { 'Stripe-Signature': header(payload) });
    assert.equal(answer.outcome, 'kept', answer.why);
    assert.match(answer.why, /test/);
    assert.equal((await alerts('Print pi_3')).length, 0);
  });

  test('a thin event is ignored', async () => {
    const payload = await fixture('stripe/thin.json');
    const { status, body: answer } = await post(source, payload, { 'Stripe-Signature': header(payload) });
    assert.equal(status, 200);
    assert.equal(answer.ignored, true);
  });
});

describe('Shopify, checked by @shopify/shopify-api', () => {
  const secret = 'shpss_0123456789abcdef';
  const shopify = shopifyApi({
    apiKey: 'key',
    apiSecretKey: secret,
    hostName: 'bell.example',
    apiVersion: '2026-01',
    isEmbeddedApp: false,
    logger: { level: LogSeverity.Error },
  });
  let source;
  before(async () => {
    source = await newSource('shopify', { secret });
  });

  const order = (id) => fixture('shopify/order.json', {
    '5600123456789012345': id,
    '2026-11-25T06:58:09-05:00': iso(),
    '2026-11-25T06:58:10-05:00': iso(),
    'Linen <summer> shirt': `Shirt ${id}`,
    '8000000000001': `8${id}`,
    'LIN-M-W': `LIN-${id}`,
  });
  const headers = (topic, digest) => ({
    'X-Shopify-Topic': topic,
    'X-Shopify-Hmac-SHA256': digest,
    'X-Shopify-Shop-Domain': 'their-shop.myshopify.com',
    'X-Shopify-API-Version': '2026-01',
    'X-Shopify-Webhook-Id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
  });
  const library = async (body, sent) => {
    const rawRequest = { method: 'POST', url: '/', headers: sent };
    return (await shopify.webhooks.validate({ rawBody: body, rawRequest, rawResponse: {} })).valid;
  };

  test('what it believes is told once, in whatever order it comes', async () => {
    const body = await order('1001');
    for (const [index, topic] of ['orders/updated', 'orders/create', 'orders/paid'].entries()) {
      const sent = headers(topic, await createSHA256HMAC(secret, body));
      assert.ok(await library(body, sent));
      const { status, body: answer } = await post(source, body, sent);
      assert.equal(status, 200, JSON.stringify(answer));
      assert.equal(answer.outcome, index === 0 ? 'told' : 'unchanged', answer.why);
    }
    const canceled = body.replace('"cancelled_at": null', `"cancelled_at": "${iso()}"`);
    const sent = headers('orders/cancelled', await createSHA256HMAC(secret, canceled));
    assert.equal((await post(source, canceled, sent)).body.outcome, 'withdrawn');
    assert.equal((await post(source, canceled, sent)).body.outcome, 'unchanged');
  });

  test('what it does not believe is refused', async () => {
    const body = await order('1002');
    const good = await createSHA256HMAC(secret, body);
    const bad = [await createSHA256HMAC('another', body), await createSHA256HMAC(secret, `${body} `), ...spoiled(good), `${good}, ${good}`];
    for (const digest of bad) {
      const sent = headers('orders/paid', digest);
      assert.ok(!(await library(body, sent)), digest);
      await assertRefused(source, body, sent, digest);
    }
    assert.equal((await alerts('Shirt 1002')).length, 0);
  });
});

describe('WooCommerce, which publishes no library', () => {
  test('signs with its secret decoded, pings unsigned, and is told when it is paid', async () => {
    const source = await newSource('woocommerce', { secret: 'fish &amp; chips' });
    const sign = (body) => createHmac('sha256', 'fish & chips').update(body).digest('base64');
    const send = (topic, body) =>
      post(source, body, { 'X-WC-Webhook-Topic': topic, 'X-WC-Webhook-Signature': sign(body) });

    const ping = await post(source, 'webhook_id=7', { 'Content-Type': 'application/x-www-form-urlencoded' });
    assert.equal(ping.status, 200);

    const paid = await fixture('woocommerce/order.json', {
      '"id": 727': '"id": 9001',
      '2026-11-25T11:40:02': iso().slice(0, 19),
      '2026-11-25T11:59:09': iso().slice(0, 19),
      'Salt &amp; vinegar <b>crisps</b>': 'Crisps &amp; dip',
    });
    const created = await send('order.created', paid.replace('"processing"', '"pending"'));
    assert.equal(created.body.outcome, 'kept', created.body.why);
    assert.match(created.body.why, /pending/);
    const updated = await send('order.updated', paid);
    assert.equal(updated.body.outcome, 'told', updated.body.why);
    const deleted = await send('order.deleted', '{"id": 9001}');
    assert.equal(deleted.body.outcome, 'withdrawn', deleted.body.why);
    const restored = await send('order.restored', paid);
    assert.notEqual(restored.body.outcome, 'told', 'one order, one alert');

    const { receipts } = await api('GET', `/admin/sources/${source.id}/receipts`);
    assert.equal(receipts.length, 4, 'a ping is worth nothing but an answer');
  });
});
