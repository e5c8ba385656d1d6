/**
 * An admin in the control room, and what tests of it need from outside: a shop that signs as WooCommerce does, a system that is
 * told.
 * Not for: what is tested.
 */

import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';

import { logIn } from './people.mjs';
import { fillIn } from './storefront.mjs';

/** An admin on a page of the control room, logged in. */
export async function adminOf(front, path = '/admin', options = {}) {
  const person = await front.guest(options);
  await person.page.goto(path);
  await person.page.waitForURL('**/login.html?**');
  await fillIn(person.page, front.shop.admin);
  await person.page.waitForURL((url) => url.pathname + url.search === path);
  await drawn(person.page);
  return person;
}

/** Waits until the page has drawn itself. */
export const drawn = (page) => page.locator('main:not([aria-busy="true"]) h1').first().waitFor();

/** Goes to another page of the control room. */
export async function visit(page, path) {
  await page.goto(path);
  await drawn(page);
}

/** What an admin does over HTTP. */
export async function asAdmin(shop, method, path, body) {
  const { token } = await logIn(shop, shop.admin);
  const answer = await fetch(`${shop.url}/api${path}`, {
    method, headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Connection: 'close' }, body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}

/** What WooCommerce sends of an order. */
export const wooOrder = (id, status, name = 'Celadon bowl') => {
  const now = new Date().toISOString().slice(0, 19);
  return {
    id, number: String(id), status, currency: 'USD', total: '28.00', date_created_gmt: now, date_paid_gmt: status === 'processing' ? now : null,
    billing: { first_name: 'Jiwoo', last_name: 'Han' }, line_items: [{ name, product_id: 9, quantity: 2, total: '28.00', sku: 'BOWL-1' }],
  };
};

/** Sends it to the source's address as WooCommerce does. Returns the status. */
export async function sendAsWoo(url, secret, order) {
  const body = JSON.stringify(order);
  const answer = await fetch(url, {
    method: 'POST', body,
    headers: {
      'Content-Type': 'application/json', 'X-WC-Webhook-Topic': 'order.updated', Connection: 'close',
      'X-WC-Webhook-Signature': createHmac('sha256', secret).update(body).digest('base64'),
    },
  });
  return answer.status;
}

/** A system that takes what it is told, until the test ends. */
export async function openTaker(context) {
  const taken = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += chunk; });
    request.on('end', () => {
      taken.push(JSON.parse(body));
      response.end('taken');
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}/told`, taken };
}
