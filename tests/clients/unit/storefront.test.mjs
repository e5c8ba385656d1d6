// @ts-check
/**
 * The storefront's logic without a page: redirects, answers of the server, sums, the checkout's idempotency key, the choice of language.
 * Not for: what is drawn (../browser.test.mjs).
 */

import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';

/** @typedef {typeof import('../../../assets/js/redirect.js')} Redirect */

/** Web storage, as far as the modules use it. */
class FakeStorage {
  /** @type {Map<string, string>} */ items = new Map();
  /** @param {string} key */
  getItem(key) { return this.items.get(key) ?? null; }
  /** @param {string} key @param {string} value */
  setItem(key, value) { this.items.set(key, value); }
  /** @param {string} key */
  removeItem(key) { this.items.delete(key); }
}

/** @type {Redirect['safeRedirect']} */
let safeRedirect;
/** @type {typeof import('../../../assets/js/money.js')} */
let money;
/** @type {typeof import('../../../assets/js/i18n.js')} */
let i18n;
/** @type {typeof import('../../../assets/js/checkout-key.js')} */
let checkout;
/** @type {typeof import('../../../assets/js/api.js')} */
let api;
const sessionStorage = new FakeStorage();

before(async () => {
  const fakes = {
    location: { origin: 'https://shop.example' },
    navigator: { languages: ['de-AT', 'ko-KR', 'en'] },
    document: { documentElement: { lang: 'en' } },
    localStorage: new FakeStorage(),
    sessionStorage,
  };
  for (const [name, value] of Object.entries(fakes)) Object.defineProperty(globalThis, name, { value, configurable: true });
  ({ safeRedirect } = await import('../../../assets/js/redirect.js'));
  i18n = await import('../../../assets/js/i18n.js');
  money = await import('../../../assets/js/money.js');
  checkout = await import('../../../assets/js/checkout-key.js');
  api = await import('../../../assets/js/api.js');
});

beforeEach(() => sessionStorage.items.clear());

test('a redirect stays on the site, and does not lead back to the log-in', () => {
  for (const own of ['/', '/cart.html', '/detail.html?goodsId=4#top', '/a/../orders.html']) {
    assert.ok(safeRedirect(own).startsWith('/'));
    assert.equal(new URL(safeRedirect(own), location.origin).href, new URL(own, location.origin).href);
  }
  for (const bad of [null, '', 'cart.html', 'https://evil.example/', '//evil.example', '/\\evil.example', '/\t/evil.example',
    '/.//evil.example', '/x/..//evil.example', 'javascript:alert(1)', '/login.html?next=/', '/login', '/register.html']) {
    assert.equal(safeRedirect(bad), '/', String(bad));
  }
});

test('sums are exact, in currencies with and without decimals', () => {
  assert.equal(money.total([{ price: 0.1, quantity: 1 }, { price: 0.2, quantity: 1 }], 'USD'), 0.3);
  assert.equal(money.total([{ price: 1.005, quantity: 3 }], 'KWD'), 3.015);
  assert.equal(money.total([{ price: 6200, quantity: 999 }], 'KRW'), 6_193_800);
  assert.equal(money.total([], 'USD'), 0);
  assert.equal(money.total([{ price: 0.1, quantity: 3 }], 'no currency'), 0.3);
  assert.equal(money.formatPrice(6.2, 'no currency'), '6.2 no currency');
});

test('the language is the first of the browser\'s that there are messages for', () => {
  assert.equal(i18n.lang, 'ko');
  assert.equal(document.documentElement.lang, 'ko');
  assert.equal(i18n.t('order.for', { nickname: 'mina' }), 'mina님의 주문');
  assert.equal(i18n.tn('cart.count', 1200), '장바구니에 1,200개');
  assert.equal(i18n.t('no.such.key'), 'no.such.key');
  assert.deepEqual([i18n.has('category.drinks'), i18n.has('category.toString')], [true, false]);
});

test('a checkout keeps its key until it changes, ends or grows old', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000 });
  const key = checkout.checkoutKey('a');
  assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.mock.timers.tick(29 * 60_000);
  assert.equal(checkout.checkoutKey('a'), key);
  t.mock.timers.tick(60_000);
  const later = checkout.checkoutKey('a');
  assert.notEqual(later, key);
  const changed = checkout.checkoutKey('b');
  assert.notEqual(changed, later);
  checkout.forgetCheckoutKey();
  assert.notEqual(checkout.checkoutKey('b'), changed);
});

test('without storage and without a secure context there is a key all the same', (t) => {
  t.mock.method(sessionStorage, 'setItem', () => { throw new Error('storage is closed'); });
  const { randomUUID } = crypto;
  Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true });
  t.after(() => Object.defineProperty(crypto, 'randomUUID', { value: randomUUID, configurable: true }));
  const key = checkout.checkoutKey('a');
  assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(checkout.checkoutKey('a'), key);
  checkout.forgetCheckoutKey();
  assert.notEqual(checkout.checkoutKey('a'), key);
});

test('an answer that is cut off is none', async (t) => {
  const body = new ReadableStream({ pull: (stream) => stream.error(new TypeError('cut off')) });
  t.mock.method(globalThis, 'fetch', async () => new Response(body, { status: 201 }));
  await assert.rejects(api.call('POST', '/orders'), { status: 0, code: 'network' });
});
