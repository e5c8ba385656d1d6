/**
 * Two shoppers in headless Chromium, through the storefront's own pages under their strict CSP.
 * Not for: foreign pages (seed-shop.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PASSWORD, fillIn, storefront } from './storefront.mjs';

let shop;
const { visitor } = storefront([], (opened) => { shop = opened; });

/** Someone with a new account, logged in, on the shop's first page. */
async function member(nickname, options) {
  const person = await visitor(options);
  const { page } = person;
  await page.goto('/register.html');
  await fillIn(page, { nickname, email: `${nickname}@example.com`, password: PASSWORD, confirmPassword: PASSWORD });
  await page.locator('[data-role="account-nickname"]', { hasText: nickname }).waitFor();
  await page.waitForURL((url) => ['/', '/index.html'].includes(url.pathname));
  await page.locator('article[data-goods-id]').first().waitFor();
  return person;
}

const toast = (page, nickname) => page.locator('shopbell-toasts [data-role="toast"]', { hasText: nickname });
/** What the buyer's own pages say. */
const ownToast = (page) => toast(page, /your order/i);

/** Goods that can be bought, by their place in the grid. */
const goodsLink = (page, n = 0) => page.locator('article[data-goods-id]', { hasNot: page.locator('.stock-none') }).nth(n).locator('a').first();

async function buyNow(page, n = 0) {
  await goodsLink(page, n).click();
  await page.locator('[data-action="buy-now"]').click();
  await page.locator('[data-action="place-order"]').click();
  await page.locator('[data-role="order-done"]').waitFor();
}

async function cancelNewest(page) {
  await page.goto('/orders.html');
  await page.locator('[data-action="cancel-order"]').first().click();
  await page.locator('[data-action="confirm-cancel"]').click();
  await page.locator('[data-role="order-status"]').first().filter({ hasText: /cancel/i }).waitFor();
}

test('each page is a whole document that preloads all modules that it imports', async () => {
  const { page, allow } = await member('pia');
  allow(404);
  for (const path of ['/', '/goods.html', '/detail.html?goodsId=1', '/cart.html', '/order.html', '/orders.html', '/account.html', '/no-such-page']) {
    await page.goto(path);
    await page.locator('main h1').first().waitFor();
    await assertPreloads(page);
  }
  const guest = await visitor();
  for (const path of ['/login.html', '/register.html']) {
    await guest.page.goto(path);
    await guest.page.locator('main h1').first().waitFor();
    await assertPreloads(guest.page);
  }
});

/** Only the page's own script is not preloaded. */
async function assertPreloads(page) {
  const modules = await page.evaluate(() => performance.getEntriesByType('resource')
    .filter(({ name }) => name.endsWith('.js')).map(({ name, initiatorType }) => ({ path: new URL(name).pathname, initiatorType })));
  assert.ok(modules.length > 20, `${page.url()} has ${modules.length} modules`);
  // What an import makes the browser fetch has the script as its initiator, a preload has not.
  const late = modules.filter(({ initiatorType }) => initiatorType === 'script').map(({ path }) => path);
  const entry = await page.locator('script[type=module]').evaluate((script) => new URL(script.src).pathname);
  assert.deepEqual(late, [entry], page.url());
  assert.equal(await page.evaluate(() => document.compatMode), 'CSS1Compat');
}

test('one orders, both see it; taken back, the toast goes', async () => {
  const [mina, theo] = await Promise.all([member('mina'), member('theo')]);
  await buyNow(mina.page);
  await Promise.all([ownToast(mina.page).waitFor(), toast(theo.page, 'mina').waitFor()]);
  assert.ok(Number(await toast(theo.page, 'mina').first().getAttribute('data-id')) > 0);
  // Held by the pointer, a toast does not leave by itself.
  await toast(theo.page, 'mina').first().hover();
  await cancelNewest(mina.page);
  await toast(theo.page, 'mina').waitFor({ state: 'detached' });
});

test('a shopper sees how many people look at the same page', async () => {
  const [one, two] = await Promise.all([member('ann'), member('bob')]);
  const count = (page) => page.locator('[data-role="viewer-count"][data-count="2"]');
  await Promise.all([count(one.page).waitFor(), count(two.page).waitFor()]);
  // Another tab of the same person is not another person.
  const tab = await one.context.newPage();
  await tab.goto('/');
  await count(tab).waitFor();
  await two.page.goto('/cart.html');
  await count(one.page).waitFor({ state: 'hidden' });
});

test('the cart is filled, ordered and empty', async () => {
  const { page } = await member('cat');
  for (const n of [0, 1]) {
    await page.goto('/');
    await goodsLink(page, n).click();
    await page.locator('[data-action="add-to-cart"]').click();
    await page.locator('[data-role="cart-count"]', { hasText: String(n + 1) }).waitFor();
  }
  await page.goto('/cart.html');
  await page.locator('main li[data-goods-id]').nth(1).waitFor();
  await page.locator('[data-action="check-out"]').click();
  await page.locator('[data-action="place-order"]').click();
  await page.locator('[data-role="order-done"]').waitFor();
  await page.locator('[data-role="cart-count"]').waitFor({ state: 'hidden' });
  await ownToast(page).waitFor();
});

test('stock that others buy falls before one\'s eyes', async () => {
  const [buyer, watcher] = await Promise.all([member('dan'), member('eve')]);
  const listed = await (await watcher.page.request.get('/api/goods')).json();
  const goods = listed.goods.find(({ stock }) => stock !== null && stock > 1);
  assert.ok(goods, 'the demo has goods that are counted');
  const admin = await watcher.page.request.post('/api/auth', { data: shop.admin });
  const { token } = await admin.json();
  // Few enough that the page says the number.
  const set = await watcher.page.request.patch(`/api/goods/${goods.goodsId}`, {
    data: { stock: 3 }, headers: { Authorization: `Bearer ${token}` },
  });
  assert.equal(set.status(), 200);
  await watcher.page.goto(`/detail.html?goodsId=${goods.goodsId}`);
  const stock = watcher.page.locator('main [data-role="stock"]').first();
  await stock.filter({ hasText: '3' }).waitFor();
  await buyer.page.goto(`/detail.html?goodsId=${goods.goodsId}`);
  await buyer.page.locator('[data-action="buy-now"]').click();
  await buyer.page.locator('[data-action="place-order"]').click();
  await stock.filter({ hasText: '2' }).waitFor();
});

test('the pages speak Korean when asked', async () => {
  const { page } = await visitor();
  await page.goto('/');
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await page.locator('[data-action="switch-language"]').click();
  await page.locator('html[lang="ko"]').waitFor();
  assert.match(await page.locator('main h1').first().innerText(), /[가-힣]/);
  const korean = await visitor({ locale: 'ko-KR' });
  await korean.page.goto('/login.html');
  await korean.page.locator('html[lang="ko"]').waitFor();
});

test('a wrong password is told, a right one logs in, logging out logs out', async () => {
  const { page, allow } = await visitor();
  allow(401);
  await page.goto('/login.html');
  const form = page.locator('#login-form');
  await form.locator('[name=email]').fill(shop.shopper.email);
  await form.locator('[name=password]').fill('wrong horse');
  await form.locator('[type=submit]').click();
  await page.getByRole('alert').filter({ hasText: /\S/ }).first().waitFor();
  await form.locator('[name=password]').fill(shop.shopper.password);
  await form.locator('[type=submit]').click();
  await page.locator('[data-role="account-nickname"]').waitFor();
  await page.goto('/account.html');
  await page.locator('[data-action="log-out"]').click();
  await page.locator('[data-role="account-nickname"]').waitFor({ state: 'detached' });
  const cookies = await page.context().cookies();
  assert.ok(!cookies.some(({ name }) => /token/.test(name)), 'the cookie is gone');
});

test('a guest sees the shop and no alerts', async () => {
  const [guest, buyer] = await Promise.all([visitor(), member('fay')]);
  // Asking who one is may be answered "nobody".
  guest.allow(401);
  await guest.page.goto('/');
  await guest.page.locator('article[data-goods-id]').first().waitFor();
  await buyNow(buyer.page);
  await ownToast(buyer.page).waitFor();
  assert.equal(await toast(guest.page, 'fay').count(), 0);
});

test('every page fits a phone', async () => {
  const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
  const { page } = await member('gil', phone);
  await goodsLink(page).click();
  await page.locator('[data-action="add-to-cart"]').click();
  await page.locator('[data-role="cart-count"]', { hasText: '1' }).waitFor();
  const detail = new URL(page.url()).pathname + new URL(page.url()).search;
  for (const path of ['/', '/goods.html', detail, '/cart.html', '/order.html', '/orders.html', '/account.html']) await assertFits(page, path);
  // Members are led on from these.
  const guest = await visitor(phone);
  for (const path of ['/login.html', '/register.html']) await assertFits(guest.page, path);
});

async function assertFits(page, path) {
  await page.goto(path);
  await page.locator('main h1, main h2').first().waitFor();
  const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= screen, `${path} is ${content} wide on a screen of ${screen}`);
}
