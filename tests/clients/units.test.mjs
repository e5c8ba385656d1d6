/**
 * What the pages decide without a document: where a log-in leads, what a typed quantity is, how money is counted, what a
 * tab keeps. Not for: what a reader sees (pages.test.mjs, widget.test.mjs).
 */

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

const ORIGIN = 'https://shop.example';

/** As much of a browser as the modules touch when they are loaded. */
class Storage {
  #kept = new Map();
  getItem(key) { return this.#kept.get(key) ?? null; }
  setItem(key, value) { this.#kept.set(key, String(value)); }
  removeItem(key) { this.#kept.delete(key); }
  clear() { this.#kept.clear(); }
}

globalThis.location = new URL(ORIGIN);
globalThis.document = { documentElement: {} };
Object.defineProperty(globalThis, 'navigator', { value: { languages: ['en'] }, configurable: true });
globalThis.sessionStorage = new Storage();
globalThis.localStorage = new Storage();

const assets = (path) => import(`../../assets/${path}`);
const { safeRedirect } = await assets('js/redirect.js');
const { parseQuantity } = await assets('js/quantity.js');
const { formatPrice, setDecimals, total } = await assets('js/money.js');
const { forgetIntent, keepIntent, takeIntent } = await assets('js/intent.js');
const cartMemory = await assets('js/cart-memory.js');
const guestCart = await assets('js/guest-cart.js');
const { planMerge } = await assets('js/cart-merge.js');
const { parsePrice } = await assets('js/numbers.js');
const { ToastStore } = await assets('widget/store.js');

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
});

/** Where a browser on the shop's log-in page ends up. */
const leadsTo = (next) => new URL(safeRedirect(next), `${ORIGIN}/login.html`);

// --- after the log-in ---

test('a log-in goes on to a page of this site, as it was named', () => {
  for (const next of ['/', '/cart.html', '/detail.html?goodsId=4&quantity=3#top', '/goods?q=a%2Fb', '/a//b', '/%2F%2Fevil.example']) {
    assert.equal(safeRedirect(next), next);
  }
});

test('a log-in never leaves the site', () => {
  const evil = [
    '//evil.example', '/.//evil.example/x', '/..//evil.example', '/a/..//evil.example', '/a/../..//evil.example', '/././/evil.example',
    '/%2e//evil.example', '/%2E%2e//evil.example', '/\\evil.example', '/\\/evil.example', '\\\\evil.example', '///evil.example', '/.\\\\evil.example',
    '/\t/evil.example', '/\n/evil.example', '/\r\n/evil.example', '\t//evil.example', ' //evil.example', '/.\t//evil.example', '/.//\tevil.example',
    'https:evil.example', 'https:/evil.example', 'https://evil.example', 'https:///evil.example', 'http:evil.example', 'evil.example', '@evil.example',
    'javascript:alert(1)', 'java\nscript:alert(1)', ' javascript:alert(1)', 'data:text/html,x', 'blob:https://evil.example/1', '/.//evil.example\\@shop.example',
    '/.//user:pass@evil.example', '/..%2f/evil.example', '/.////evil.example', '//shop.example@evil.example', '//shop.example.evil.example', '//[::1]', '/.//[::1]/',
  ];
  for (const next of evil) assert.equal(leadsTo(next).origin, ORIGIN, JSON.stringify(next));
});

test('no mixture of slashes, dots, controls and hosts leaves the site', () => {
  const pieces = ['/', '/', '\\', '.', '..', '%2e', '%2f', '%5c', '\t', '\n', '\r', ' ', '\0', 'evil.example', '@', ':', 'https:', 'javascript:', '?', '#', 'x', '', '\u2028', '／', '。'];
  // The same sequence each time, so that what fails once fails again.
  let seed = 20_261_125;
  const random = (below) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 50_000; round += 1) {
    const next = Array.from({ length: 1 + random(8) }, () => pieces[random(pieces.length)]).join('');
    for (const tried of [next, `/${next}`]) {
      const url = leadsTo(tried);
      assert.ok(url.origin === ORIGIN && safeRedirect(tried).startsWith('/') && !safeRedirect(tried).startsWith('//'), JSON.stringify(tried));
      // Going there once more leads to the same place.
      assert.equal(leadsTo(safeRedirect(tried)).href, url.href, JSON.stringify(tried));
    }
  }
});

test('a log-in does not lead to itself', () => {
  for (const next of ['/login.html', '/register', '/.//login.html', '/a/../login', '//login.html', null, '']) assert.equal(safeRedirect(next), '/');
});

// --- quantities ---

test('a quantity is a whole number in the digits of any script', () => {
  const read = { 3: ['3', '３', ' 3 ', '03', '٣', '३', '๓', '၃', '𝟛', '③', '³', '\u30003'], 12: ['12', '１２', '١٢'], 0: ['0', '０'], 1000: ['1000'] };
  for (const [value, texts] of Object.entries(read)) for (const text of texts) assert.equal(parseQuantity(text), Number(value), text);
});

test('what is no whole number is no quantity', () => {
  for (const text of ['1,5', '1.5', '1．5', '١٫٥', '', ' ', 'abc', '-1', '−1', '－1', '+1', '1e3', '1 000', '0x10', 'Infinity', 'NaN', '½', '三', '9'.repeat(30)]) {
    assert.equal(parseQuantity(text), null, text);
  }
});

// --- money ---

test('sums and texts have the decimals that the server counts in', () => {
  const lines = [{ price: 199.5, quantity: 3 }];
  // Before the server has told, a price is at least never rounded.
  assert.equal(total(lines, 'HUF'), 598.5);
  setDecimals('HUF', 2);
  assert.equal(total(lines, 'HUF'), 598.5);
  assert.match(formatPrice(598.5, 'HUF'), /598\.50/);
  setDecimals('KRW', 0);
  assert.match(formatPrice(1200, 'KRW'), /1,200$/);
  setDecimals('BHD', 3);
  assert.match(formatPrice(1.255, 'BHD'), /1\.255/);
  assert.equal(total([{ price: 0.1, quantity: 3 }, { price: 0.2, quantity: 1 }], 'USD'), 0.5);
  assert.match(formatPrice(6.2, 'USD'), /6\.20/);
});

test('what a server says of decimals that are none changes nothing', () => {
  for (const decimals of [undefined, null, '2', 1.5, NaN]) setDecimals('EUR', decimals);
  setDecimals(undefined, 2);
  assert.match(formatPrice(6.2, 'EUR'), /6\.20/);
  assert.equal(formatPrice(5, 'no currency'), '5 no currency');
});

// --- what a tab keeps ---

test('what a member wanted is carried out once, and not for another', () => {
  keepIntent({ goodsId: 4, quantity: 3, userId: 7 });
  assert.equal(takeIntent(8), null);
  assert.equal(takeIntent(7), null);
  keepIntent({ goodsId: 4, quantity: 3, userId: 7 });
  assert.equal(takeIntent(7).quantity, 3);
  assert.equal(takeIntent(7), null);
  keepIntent({ goodsId: 4, quantity: 3, userId: 7 });
  forgetIntent();
  assert.equal(takeIntent(7), null);
});

test('a wish that is old or unreadable is forgotten', (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: 1_000 });
  keepIntent({ goodsId: 4, quantity: 3, userId: 7 });
  context.mock.timers.tick(31 * 60_000);
  assert.equal(takeIntent(7), null);
  for (const kept of ['{', '7', '{"goodsId":"4","quantity":3}', '[]']) {
    sessionStorage.setItem('shopbell.intent', kept);
    assert.equal(takeIntent(7), null, kept);
  }
});

// --- carts ---

const line = (goodsId, { quantity = 1, stock = null } = {}) => ({ quantity, goods: { goodsId, name: `goods ${goodsId}`, stock } });

test('a cart remembers what left it, unless that was by hand or is another member\'s', () => {
  const gone = { goodsId: 1, name: 'goods 1' };
  cartMemory.rememberCart(7, [line(1), line(2), line(3)]);
  cartMemory.forgetLines(7, 2);
  assert.deepEqual(cartMemory.missingFrom(7, [line(3)]), [gone]);
  assert.deepEqual(cartMemory.missingFrom(8, [line(3)]), []);
  cartMemory.addNotes(7, [{ ...gone, kind: 'gone' }]);
  cartMemory.addNotes(7, [{ ...gone, kind: 'gone' }]);
  cartMemory.rememberCart(7, [line(3)]);
  // It stays to be told while the cart is read again, until it was read.
  assert.deepEqual(cartMemory.notesOf(7), [{ ...gone, kind: 'gone' }]);
  assert.deepEqual(cartMemory.notesOf(8), []);
  cartMemory.forgetNotes(7);
  assert.deepEqual(cartMemory.notesOf(7), []);
  cartMemory.forgetLines(7);
  assert.deepEqual(cartMemory.missingFrom(7, []), []);
  localStorage.setItem('shopbell.cart', JSON.stringify({ userId: 7, lines: [null, 7, { goodsId: 'x', name: 'x' }], notes: [null, {}, { kind: 'gone' }] }));
  assert.deepEqual([cartMemory.missingFrom(7, []), cartMemory.notesOf(7)], [[], []]);
});

test('goods that run short are told when they do, and again only after there were enough', () => {
  const short = (stock) => cartMemory.rememberCart(7, [line(1, { quantity: 5, stock }), line(2)]).map(({ goods }) => goods.goodsId);
  assert.deepEqual([short(null), short(5), short(4), short(1), short(6), short(0)], [[], [], [1], [], [], [1]]);
});

test('the guest\'s cart is planned into the member\'s once, and never beyond what a line holds', () => {
  const guest = (goodsId, quantity, merge) => ({ goodsId, name: 'x', quantity, ...(merge && { merge }) });
  const planned = planMerge([guest(1, 2), guest(2, 600), guest(3, 1, { userId: 7, quantity: 4 }), guest(4, 1, { userId: 8, quantity: 9 })],
    [line(1, { quantity: 3 }), line(2, { quantity: 500 }), line(3, { quantity: 4 })], 7);
  assert.deepEqual(planned.map(({ merge }) => merge), [5, 999, 4, 1].map((quantity) => ({ userId: 7, quantity })));
});

test('what a browser keeps of a guest\'s cart is taken only where it is a cart', () => {
  localStorage.setItem('shopbell.guest-cart', JSON.stringify([null, 7, { goodsId: 1 }, { goodsId: 1, name: 'a', quantity: 1000 }, { goodsId: -1, name: 'a', quantity: 1 },
    { goodsId: 2, name: '<b>', quantity: 3 }]));
  assert.deepEqual(guestCart.guestLines(), [{ goodsId: 2, name: '<b>', quantity: 3 }]);
  guestCart.addGuestLine({ goodsId: 2, name: 'b' }, 998);
  assert.deepEqual(guestCart.guestLines(), [{ goodsId: 2, name: 'b', quantity: 999 }]);
  for (const kept of ['{', '{}', 'null', '7']) {
    localStorage.setItem('shopbell.guest-cart', kept);
    assert.deepEqual(guestCart.guestLines(), [], kept);
  }
  for (let goodsId = 1; goodsId <= 100; goodsId += 1) guestCart.setGuestLine({ goodsId, name: 'x' }, 1);
  assert.throws(() => guestCart.setGuestLine({ goodsId: 101, name: 'x' }, 1), { code: 'cart_full' });
});

// --- numbers as people type them ---

test('a price is read in any script and any country\'s signs, and nothing is guessed', () => {
  const readable = [['12', 12], ['12.5', 12.5], ['12,50', 12.5], ['1,250', 1250], ['1.250', 1250], ['1.250,50', 1250.5], ['1 250,5', 1250.5], ['12,34,567', 1234567],
    ['1’000.5', 1000.5], ['١٢٫٥', 12.5], ['١٬٢٥٠٫٥', 1250.5], ['१२', 12], ['１２．５', 12.5], ['\u200f۱۲', 12], ['$12', 12], ['12 €', 12], ['.5', 0.5], ['0', 0]];
  for (const [text, value] of readable) assert.equal(parsePrice(text, 2), value, text);
  for (const text of ['abc', '-1', '1.2.3', '5.', '1,2,3', '0.005', '1234.567', '1e3', '', ' ', '٬', '1'.repeat(16), '12:30']) assert.equal(parsePrice(text, 2), null, text);
  assert.deepEqual([parsePrice('1.250', 3), parsePrice('1.5', 0), parsePrice('₩1,000', 0)], [1.25, null, 1000]);
});

// --- the widget's queue ---

test('an order that turns out to be one\'s own is shown as that', () => {
  const store = new ToastStore();
  const order = (id) => ({ id, nickname: 'k**', goodsId: 1, goodsName: 'Tea', otherGoods: 0, at: 0 });
  let changes = 0;
  store.add(order(1), false);
  store.addEventListener('change', () => { changes += 1; });
  store.claim(1);
  store.claim(2);
  assert.deepEqual([store.visible[0].own, changes], [true, 1]);
  store.clear();
});
