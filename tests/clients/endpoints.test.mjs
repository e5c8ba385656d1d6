/**
 * Outgoing webhooks at receivers that check them as their documentation says: with the official libraries of Standard
 * Webhooks and of Svix.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { Webhook as Standard } from 'standardwebhooks';
import { Webhook as Svix } from 'svix';

import { DEADLINE_MS, startShop } from './support.mjs';

let shop, receiver, url, tokens;
const received = [];

async function call(method, path, token, body) {
  const answer = await fetch(shop.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

/** The messages, once there are so many. */
async function messages(count) {
  const end = Date.now() + DEADLINE_MS;
  while (received.length < count) {
    assert.ok(Date.now() < end, `${received.length} of ${count} messages came`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return received;
}

before(async () => {
  shop = await startShop('--allow-private-endpoints');
  receiver = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.end('thanks');
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${receiver.address().port}/hook`;
  const logIn = async (who) => (await call('POST', '/api/auth', null, who)).token;
  tokens = { shopper: await logIn(shop.shopper), admin: await logIn(shop.admin) };
});

after(async () => {
  receiver?.closeAllConnections();
  receiver?.close();
  await shop?.stop();
});

test('the official libraries verify what is sent, with either secret while one takes over', async () => {
  const made = await call('POST', '/api/admin/endpoints', tokens.admin, { url, events: ['order.placed'] });
  const { goods } = await call('GET', '/api/goods');
  const buy = () => call('POST', '/api/orders', tokens.shopper, { items: [{ goodsId: goods[0].goodsId, quantity: 1 }] });
  const verifies = ({ headers, body }, secret) => {
    const expected = JSON.parse(body);
    for (const Webhook of [Standard, Svix]) {
      assert.deepEqual(new Webhook(secret).verify(body, headers), expected);
      assert.throws(() => new Webhook(secret).verify(body.replace('order', 'orden'), headers));
      assert.throws(() => new Webhook(secret).verify(body, { ...headers, 'webhook-id': 'another' }));
      assert.throws(() => new Webhook(secret).verify(body, { ...headers, 'webhook-timestamp': '1700000000' }));
      assert.throws(() => new Webhook('whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA').verify(body, headers));
    }
    return expected;
  };
  const { order } = await buy();
  const [first] = await messages(1);
  const message = verifies(first, made.secret);
  assert.equal(message.type, 'order.placed');
  assert.equal(message.data.orderId, order.orderId);
  const rotated = await call('POST', `/api/admin/endpoints/${made.endpoint.endpointId}/rotate`, tokens.admin);
  // The dispatcher goes by it within a second; until then the old one signs alone.
  let both;
  for (let count = 2; !both; count += 1) {
    await buy();
    const last = (await messages(count)).at(-1);
    if (last.headers['webhook-signature'].includes(' ')) both = last;
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }
  verifies(both, made.secret);
  verifies(both, rotated.secret);
});
