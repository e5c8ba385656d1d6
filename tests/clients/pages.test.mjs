/**
 * The shop's pages where something comes between: a log-in, goods that go, a masked name, another way to write a number.
 * Not for: the plain way through the shop (browser.test.mjs), the widget elsewhere (widget.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { latest, logIn, newGoods, newMember, order } from './people.mjs';
import { openProxy } from './sockets.mjs';
import { PASSWORD, fillIn, logInOn, storefront, toasts } from './storefront.mjs';
import { openPage, startShop } from './support.mjs';

let shop;
/** Goods that never run out. */
let tea;
// Names are masked: nothing that is one's own may be told by a name.
const front = storefront(['--nickname-display', 'masked'], async (opened) => {
  shop = opened;
  tea = await newGoods(shop, 'Test tea');
});
const { guest: visitor, member } = front;

const detailOf = ({ goodsId }) => `/detail.html?goodsId=${goodsId}`;

async function quantityInCart(page, { goodsId }) {
  const { cart } = await (await page.request.get('/api/goods/cart')).json();
  return cart.find(({ goods }) => goods.goodsId === goodsId)?.quantity ?? 0;
}

async function buyNow(page, goods) {
  await page.goto(detailOf(goods));
  await page.locator('[data-action="buy-now"]').click();
  await page.locator('[data-action="place-order"]').click();
  await page.locator('[data-role="order-done"]').waitFor();
}

async function deleteGoods({ goodsId }) {
  const { token } = await logIn(shop, shop.admin);
  const answer = await fetch(`${shop.url}/api/goods/${goodsId}`, { method: 'DELETE', headers: { Authorization: `Bearer ${token}`, Connection: 'close' } });
  assert.equal(answer.status, 204);
}

/** Someone on the goods' page puts some of them into the cart. */
async function wants(page, goods, quantity) {
  await page.goto(detailOf(goods));
  const field = page.locator('main [name=quantity]');
  await field.fill(String(quantity));
  await field.blur();
  await page.locator('[data-action="add-to-cart"]').click();
  await page.locator('.notice', { hasText: 'Added to the cart' }).waitFor();
}

const inCart = (page, count) => page.locator('[data-role="cart-count"]', { hasText: String(count) }).waitFor();

async function changeGoods({ goodsId }, fields) {
  const { token } = await logIn(shop, shop.admin);
  const answer = await fetch(`${shop.url}/api/goods/${goodsId}`, {
    method: 'PATCH', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Connection: 'close' }, body: JSON.stringify(fields),
  });
  assert.equal(answer.status, 200);
}

// --- one's own orders ---

test('each of one\'s own pages knows one\'s own order under a masked name, and strangers see the mask', async () => {
  const [kim, lee] = await Promise.all([member('kimi'), member('leen')]);
  const tab = await kim.context.newPage();
  await tab.goto('/cart.html');
  await tab.locator('main h1').waitFor();
  const phone = await visitor();
  await phone.page.goto('/login.html');
  await logInOn(phone.page, 'kimi');
  await phone.page.locator('[data-role="account-nickname"]').waitFor();
  await Promise.all([lee.page, tab, phone.page].map((page) => page.waitForFunction(() => document.querySelector('shopbell-toasts').source.state === 'open')));
  await buyNow(kim.page, tea);
  await Promise.all([kim.page, tab, phone.page].map((page) => toasts(page).filter({ hasText: 'Your order of Test tea' }).waitFor()));
  await toasts(lee.page).filter({ hasText: 'k** just ordered Test tea' }).waitFor();
  for (const page of [kim.page, tab, phone.page]) assert.equal(await toasts(page).filter({ hasText: 'k*' }).count(), 0);
});

test('the next page of a tab still knows the order that the page before has placed', async () => {
  const { page } = await member('nora');
  await buyNow(page, tea);
  await toasts(page).filter({ hasText: 'Your order' }).waitFor();
  // As if the tab had been between two pages when the alert came: the next one hears it in its place.
  await page.evaluate(() => { document.querySelector('shopbell-toasts').source.lastId -= 1; });
  await page.goto('/orders.html');
  await toasts(page).filter({ hasText: 'Your order of Test tea' }).waitFor();
});

test('a page that holds an offset of another log goes on with this one, on the next page too', async () => {
  const { page } = await member('rita');
  const buyer = await newMember(shop, 'otto');
  const asked = [];
  page.on('websocket', (socket) => asked.push(Object.fromEntries(new URL(socket.url()).searchParams)));
  const session = await page.evaluate(async () => {
    const { source } = document.querySelector('shopbell-toasts');
    const { session } = source.hello;
    Object.assign(source, { lastId: 999_999, epoch: '0123456789abcdef' });
    source.close();
    source.open();
    return session;
  });
  await page.waitForFunction((before) => {
    const { source } = document.querySelector('shopbell-toasts');
    return source.state === 'open' && source.hello.session !== before;
  }, session);
  assert.deepEqual(asked, [{ after: '999999', epoch: '0123456789abcdef' }]);
  await order(shop, buyer, tea);
  await toasts(page).filter({ hasText: 'o** just ordered Test tea' }).waitFor();
  const epoch = await page.evaluate(() => document.querySelector('shopbell-toasts').source.hello.epoch);
  await page.goto('/orders.html');
  await page.waitForFunction(() => document.querySelector('shopbell-toasts')?.source.state === 'open');
  assert.deepEqual(asked[1], { after: String(await latest(shop, buyer)), epoch });
});

// --- a path that dies without a word ---

test('a page whose path falls silent comes back by itself and tells what it missed', async (context) => {
  const quick = await startShop('--ping-interval', '300ms', '--ping-timeout', '300ms');
  const proxy = await openProxy(quick.url);
  const buyer = await newMember(quick, 'theo');
  await newMember(quick, 'olga');
  const goods = await newGoods(quick, 'Silent night');
  const person = await openPage(front.browser, proxy.url);
  const { page, problems } = person;
  // The page first: it would miss its shop.
  context.after(async () => {
    await person.context.close();
    proxy.close();
    await quick.stop();
  });
  person.allow(401);
  await page.goto('/login.html');
  await logInOn(page, 'olga');
  await page.waitForURL((url) => url.pathname === '/');
  const session = () => page.evaluate(() => {
    const { source } = document.querySelector('shopbell-toasts');
    return source.state === 'open' && source.hello.user ? source.hello.session : null;
  });
  await page.waitForFunction(() => document.querySelector('shopbell-toasts').source.hello?.user);
  const heartbeat = await page.evaluate(() => document.querySelector('shopbell-toasts').source.hello.heartbeat);
  if (!heartbeat) return context.skip('this server names no heartbeat');
  const before = await session();
  proxy.silence();
  const { token } = buyer;
  await order(quick, { token }, goods);
  await toasts(page).filter({ hasText: 'theo just ordered Silent night' }).waitFor();
  assert.notEqual(await session(), before);
  assert.deepEqual(problems, []);
});

// --- the guest's cart ---

test('a guest has a cart, and after the log-in it is the member\'s, once, also after a failed one', async () => {
  await newMember(shop, 'gina');
  const { page } = await visitor();
  await wants(page, tea, 3);
  await inCart(page, 3);
  await page.goto('/cart.html');
  await page.locator('[data-role="cart-total"]', { hasText: '$18.60' }).waitFor();
  await page.locator('[data-action="check-out"]').click();
  await page.waitForURL('**/login.html?**');
  await logInOn(page, 'gina', 'wrong horse');
  await page.getByRole('alert').filter({ hasText: /\S/ }).first().waitFor();
  await logInOn(page, 'gina');
  await page.waitForURL('**/order.html');
  await page.locator('.notice', { hasText: '3 items came along' }).waitFor();
  await page.locator('[data-action="place-order"]').waitFor();
  assert.equal(await quantityInCart(page, tea), 3);
  for (const path of ['/', detailOf(tea), '/cart.html']) {
    await page.goto(path);
    await inCart(page, 3);
  }
  assert.equal(await quantityInCart(page, tea), 3);
  await page.locator('[data-role="gone-from-cart"]', { hasText: 'Test tea × 3 came along' }).waitFor();
});

test('the guest\'s cart is added to the member\'s up to what a line holds; a refused line waits and what is not sold is named', async () => {
  const [rare, brief] = [await newGoods(shop, 'Rare lamp'), await newGoods(shop, 'Brief lamp')];
  const account = await newMember(shop, 'hana');
  const { page, allow } = await visitor();
  allow(404);
  allow(503);
  await page.request.put(`/api/goods/${tea.goodsId}/cart`, { data: { quantity: 2 }, headers: { Authorization: `Bearer ${account.token}` } });
  await wants(page, tea, 998);
  await wants(page, rare, 1);
  await wants(page, brief, 1);
  await page.route(`**/api/goods/${rare.goodsId}/cart`, (route) => route.fulfill({ status: 503, json: { code: 'overloaded', errorMessage: 'Later.' } }));
  // The page stays: it would otherwise say by itself that the goods are gone.
  await page.goto('/login.html');
  await deleteGoods(brief);
  await logInOn(page, 'hana');
  await page.waitForURL((url) => url.pathname === '/');
  // Taken in the order in which they were put in: what comes after the refused line waits, too.
  await page.goto('/cart.html');
  const told = page.locator('[data-role="gone-from-cart"]');
  await told.filter({ hasText: 'Test tea: 999 is the most' }).filter({ hasText: 'Rare lamp waits in this browser' }).waitFor();
  assert.equal(await quantityInCart(page, tea), 999);
  await page.unroute(`**/api/goods/${rare.goodsId}/cart`);
  await page.reload();
  await told.filter({ hasText: 'Rare lamp × 1 came along' }).filter({ hasText: 'Brief lamp is no longer sold' }).waitFor();
  assert.deepEqual([await quantityInCart(page, tea), await quantityInCart(page, rare)], [999, 1]);
  assert.equal(await told.filter({ hasText: 'waits in this browser' }).count(), 0);
});

test('a guest who makes an account finds the cart there', async () => {
  const { page } = await visitor();
  await wants(page, tea, 4);
  await page.goto('/login.html');
  await page.locator('.form-aside a').last().click();
  await page.waitForURL('**/register.html**');
  await fillIn(page, { nickname: 'iris', email: 'iris@example.com', password: PASSWORD, confirmPassword: PASSWORD });
  await page.locator('[data-role="account-nickname"]').waitFor();
  await inCart(page, 4);
  await page.goto('/cart.html');
  assert.equal(await quantityInCart(page, tea), 4);
});

test('a cart is told what the shop runs out of and what it stops selling, on whatever page one is', async () => {
  const [few, last] = [await newGoods(shop, 'Few mugs'), await newGoods(shop, 'Last jug')];
  const [guest, { page, account, allow }] = await Promise.all([visitor(), member('lola')]);
  [guest, { allow }].forEach((person) => person.allow(404));
  for (const { goodsId } of [few, last]) {
    await page.request.put(`/api/goods/${goodsId}/cart`, { data: { quantity: 5 }, headers: { Authorization: `Bearer ${account.token}` } });
    await wants(guest.page, { goodsId }, 5);
  }
  const pages = [page, guest.page];
  for (const one of pages) {
    await one.goto('/goods.html');
    await inCart(one, 10);
    await one.waitForFunction(() => document.querySelector('shopbell-toasts').source.state === 'open');
  }
  await changeGoods(few, { stock: 2 });
  for (const one of pages) await one.locator('.notice', { hasText: 'Only 2 left of Few mugs: your cart has 5.' }).waitFor();
  await deleteGoods(last);
  for (const one of pages) await one.locator('.notice', { hasText: 'Last jug is no longer sold' }).waitFor();
  for (const one of pages) {
    await one.goto('/cart.html');
    await one.locator('.line', { hasText: 'Only 2 in stock' }).waitFor();
    await one.locator('[data-role="gone-from-cart"]', { hasText: 'Last jug' }).waitFor();
  }
});

test('what a member wanted when the log-in had ended is not put into another\'s cart', async () => {
  await newMember(shop, 'judy');
  const { page, context } = await member('jane', detailOf(tea));
  await page.locator('[data-action="add-to-cart"]').waitFor();
  await context.clearCookies();
  await page.locator('[data-action="add-to-cart"]').click();
  await page.waitForURL('**/login.html?**');
  await logInOn(page, 'judy');
  await page.waitForURL(`**${detailOf(tea)}`);
  await page.locator('[data-role="account-nickname"]', { hasText: 'judy' }).waitFor();
  assert.equal(await quantityInCart(page, tea), 0);
});

test('a log-in never leads away from the shop', async () => {
  await newMember(shop, 'kate');
  for (const next of ['/.//evil.example/x', '//evil.example', '/\\evil.example', 'https:evil.example', '/\t/evil.example', 'javascript:alert(1)']) {
    const { page, allow } = await visitor();
    allow(404);
    const elsewhere = [];
    page.on('request', (request) => { if (!request.url().startsWith(shop.url) && !request.url().startsWith('data:')) elsewhere.push(request.url()); });
    await page.goto(`/login.html?next=${encodeURIComponent(next)}`);
    await logInOn(page, 'kate');
    await page.waitForURL((url) => url.pathname !== '/login.html');
    await page.locator('[data-role="account-nickname"]').waitFor();
    assert.equal(new URL(page.url()).origin, shop.url, next);
    assert.deepEqual(elsewhere, [], next);
  }
});

// --- the cart ---

test('goods that are no longer sold are named on the cart page, however they left', async () => {
  const { page, allow, account } = await member('lucy');
  allow(404);
  const [first, second, third] = [await newGoods(shop, 'Brief candle'), await newGoods(shop, 'Last lamp'), await newGoods(shop, 'Taken out')];
  for (const { goodsId } of [first, second, third]) {
    await page.request.put(`/api/goods/${goodsId}/cart`, { data: { quantity: 1 }, headers: { Authorization: `Bearer ${account.token}` } });
  }
  await page.goto('/cart.html');
  await page.locator('main li[data-goods-id]').nth(2).waitFor();
  const gone = page.locator('[data-role="gone-from-cart"]');
  // By one's own hand: nothing to say.
  await page.locator(`main li[data-goods-id="${third.goodsId}"] [data-action="remove-from-cart"]`).click();
  await page.locator('main li[data-goods-id]').nth(2).waitFor({ state: 'detached' });
  // While one looks at it.
  await deleteGoods(first);
  await gone.filter({ hasText: 'Brief candle is no longer sold' }).waitFor();
  // While one looks at something else; another page reads the cart first.
  await page.goto('/login.html?next=/account.html');
  await page.waitForURL((url) => url.pathname === '/account.html');
  await deleteGoods(second);
  await page.goto('/orders.html');
  await page.locator('main h1').waitFor();
  await page.goto('/cart.html');
  await gone.filter({ hasText: 'Brief candle' }).filter({ hasText: 'Last lamp' }).waitFor();
  assert.equal(await gone.filter({ hasText: 'Taken out' }).count(), 0);
  await page.locator('.state-title', { hasText: 'Your cart is empty' }).waitFor();
  await page.locator('[data-action="gone-read"]').click();
  await gone.waitFor({ state: 'hidden' });
  await page.reload();
  await page.locator('.state-title').waitFor();
  await gone.waitFor({ state: 'hidden' });
});

test('a cart that was ordered is not missed', async () => {
  const { page, account } = await member('mary');
  await page.request.put(`/api/goods/${tea.goodsId}/cart`, { data: { quantity: 1 }, headers: { Authorization: `Bearer ${account.token}` } });
  await page.goto('/cart.html');
  await page.locator('[data-action="check-out"]').click();
  await page.locator('[data-action="place-order"]').click();
  await page.locator('[data-role="order-done"]').waitFor();
  await page.goto('/cart.html');
  await page.locator('.state-title').waitFor();
  assert.equal(await page.locator('[data-role="gone-from-cart"]').isVisible(), false);
});

test('the quantity field takes whole numbers as people write them, and nothing else', async () => {
  const { page } = await visitor();
  await page.goto(detailOf(tea));
  const field = page.locator('main [name=quantity]');
  const typed = async (text) => {
    await field.fill(text);
    await field.blur();
    return field.inputValue();
  };
  assert.equal(await typed('7'), '7');
  for (const text of ['1,5', '1.5', '', 'abc', '-1', '1e3', ' ']) assert.equal(await typed(text), '7', text);
  for (const [text, value] of [['３', '3'], ['٤', '4'], [' 5 ', '5'], ['0', '1'], ['1000', '999'], ['12', '12']]) assert.equal(await typed(text), value, text);
  assert.equal(await page.locator('quantity-stepper').evaluate((stepper) => stepper.value), 12);
});

// --- orders ---

test('the orders page shows what another device orders and cancels', async () => {
  const { page, account } = await member('olli', '/orders.html');
  await page.locator('.state-title').waitFor();
  await page.waitForFunction(() => document.querySelector('shopbell-toasts').source.hello?.user);
  const { orderId } = await order(shop, account, tea);
  const card = page.locator(`[data-order-id="${orderId}"]`);
  await card.locator('[data-role="order-status"]', { hasText: 'Placed' }).waitFor();
  await page.locator('.state-title').waitFor({ state: 'detached' });
  const answer = await fetch(`${shop.url}/api/orders/${orderId}/cancel`, { method: 'POST', headers: { Authorization: `Bearer ${account.token}`, Connection: 'close' } });
  assert.equal(answer.status, 200);
  await card.locator('[data-role="order-status"]', { hasText: 'Canceled' }).waitFor();
});

// --- the list of alerts ---

test('the bell says that there is something new, lists it, and turns toasts off for good', async () => {
  const buyer = await newMember(shop, 'bert');
  const { page, context } = await member('bell');
  const [odd, early] = [await newGoods(shop, `"Late" & 'later'`), await newGoods(shop, 'Early tea')];
  const dot = page.locator('[data-role="news-dot"]');
  const isOpen = () => page.waitForFunction(() => document.querySelector('shopbell-toasts').source.hello?.user);
  await isOpen();
  await order(shop, buyer, early);
  await toasts(page).filter({ hasText: 'Early tea' }).waitFor();
  // Told by its toast.
  assert.equal(await dot.isVisible(), false);
  await page.goto('about:blank');
  await order(shop, buyer, odd);
  const { orderId } = await order(shop, buyer, tea);
  await fetch(`${shop.url}/api/orders/${orderId}/cancel`, { method: 'POST', headers: { Authorization: `Bearer ${buyer.token}`, Connection: 'close' } });
  // Away for so long that the page does not go on where it was.
  await page.addInitScript(() => sessionStorage.removeItem('shopbell.last'));
  await page.goto('/goods.html');
  await dot.waitFor();
  await page.locator('[data-action="open-news"]').click();
  const list = page.locator('.news-list');
  await list.locator('.news-when', { hasText: '1 new since you were away' }).waitFor();
  assert.deepEqual(await list.locator('.news-items').first().locator('.news-goods').allInnerTexts(), [`"Late" & 'later'`]);
  await list.locator('.news-item', { hasText: 'Early tea' }).filter({ hasText: 'b** ordered' }).waitFor();
  await page.locator('#news-toasts').uncheck();
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.action), 'open-news');
  await dot.waitFor({ state: 'hidden' });
  await page.reload();
  const tab = await context.newPage();
  await tab.goto('/cart.html');
  for (const one of [page, tab]) await one.locator('main h1').first().waitFor();
  assert.deepEqual(await Promise.all([page, tab].map((one) => one.locator('shopbell-toasts').count())), [0, 0]);
  await order(shop, buyer, tea);
  await dot.waitFor();
  await page.locator('[data-action="open-news"]').click();
  await page.locator('.news-when', { hasText: '1 new since you were away' }).waitFor();
  await page.locator('#news-toasts').check();
  for (const one of [page, tab]) await one.locator('shopbell-toasts').waitFor({ state: 'attached' });
});

test('earlier alerts are read back to the oldest that the shop still has', async () => {
  const { page, allow } = await member('gerd');
  allow(410);
  // Offsets from 60 to 100 are left.
  await page.route('**/api/notifications?*', (route) => {
    const query = new URL(route.request().url()).searchParams;
    const [after, limit] = [Number(query.get('after') ?? 100 - query.get('limit')), Number(query.get('limit'))];
    if (after < 59) return route.fulfill({ status: 410, contentType: 'application/problem+json', json: { status: 410, code: 'too_old', detail: 'Too old.', oldest: 60 } });
    const data = { nickname: 'bea', goodsId: 1, goodsName: 'Tea', date: '2026-01-01T00:00:00Z' };
    return route.fulfill({ json: { notifications: Array.from({ length: limit }, (_, n) => ({ id: after + 1 + n, event: 'BUY_GOODS', data })), latest: 100 } });
  });
  await page.locator('[data-action="open-news"]').click();
  const more = page.locator('[data-action="more-news"]');
  await more.click();
  await page.locator('.news-item[data-id="60"]').waitFor();
  assert.equal(await page.locator('.news-item').count(), 41);
  await more.click();
  await more.waitFor({ state: 'detached' });
  assert.equal(await page.locator('.news-list .state').count(), 0);
});

// --- money and lists ---

test('prices have the decimals that the shop says, on every page', async () => {
  const { page, account } = await member('nina');
  const priced = (goods) => ({ ...goods, price: 199.5, currency: 'HUF' });
  await page.route('**/api/shop', (route) => route.fulfill({ json: { currency: 'HUF', currencyDecimals: 2 } }));
  await page.route('**/api/goods**', async (route) => {
    const answer = await route.fetch();
    const json = await answer.json();
    if (Array.isArray(json.goods)) json.goods = json.goods.map(priced);
    else if (json.goods) json.goods = priced(json.goods);
    await route.fulfill({ response: answer, json });
  });
  await page.route('**/api/goods/cart', async (route) => {
    const answer = await route.fetch();
    const { cart } = await answer.json();
    await route.fulfill({ response: answer, json: { cart: cart.map((line) => ({ ...line, goods: priced(line.goods) })) } });
  });
  await page.request.put(`/api/goods/${tea.goodsId}/cart`, { data: { quantity: 3 }, headers: { Authorization: `Bearer ${account.token}` } });
  await page.goto(detailOf(tea));
  await page.locator('main [data-role="price"]', { hasText: /199\.50/ }).waitFor();
  await page.goto('/cart.html');
  await page.locator('[data-role="cart-total"]', { hasText: /598\.50/ }).waitFor();
  await page.locator('.line-sum', { hasText: /598\.50/ }).waitFor();
  await page.goto(`/order.html?goodsId=${tea.goodsId}&quantity=３`);
  await page.locator('[data-role="order-total"]', { hasText: /598\.50/ }).waitFor();
  await page.goto('/goods.html');
  await page.locator('article [data-role="price"]', { hasText: /199\.50/ }).first().waitFor();
});

test('the list is ordered and narrowed by its address, and prices are typed in any script', async () => {
  const { page } = await visitor();
  for (const [name, price, stock] of [['Filter mug', 40, 3], ['Filter jug', 20, 0], ['Filter bowl', 30, null]]) {
    await changeGoods(await newGoods(shop, name), { price, stock });
  }
  const names = async (expected) => {
    await page.locator('#goods-grid:not([aria-busy]) article').nth(expected.length - 1).waitFor();
    assert.deepEqual(await page.locator('#goods-grid article h3').allInnerTexts(), expected);
  };
  await page.goto('/goods.html?q=filter&sort=priceAsc');
  await names(['Filter jug', 'Filter bowl', 'Filter mug']);
  const settled = (wanted) => page.waitForResponse((response) => response.url().includes(wanted));
  const type = (name, text) => async () => {
    await page.locator(`.filters [name=${name}]`).fill(text);
    await page.locator(`.filters [name=${name}]`).blur();
  };
  const change = (wanted, act) => Promise.all([settled(wanted), act()]);
  await change('minPrice=25', type('minPrice', '２５'));
  await names(['Filter bowl', 'Filter mug']);
  await change('maxPrice=35', type('maxPrice', '٣٥٫٠'));
  await names(['Filter bowl']);
  await type('maxPrice', 'cheap')();
  assert.equal(await page.locator('.filters [name=maxPrice]').inputValue(), '35');
  await page.goto('/goods.html?q=filter&inStock=true&sort=name');
  await names(['Filter bowl', 'Filter mug']);
  await change('sort=priceDesc', () => page.locator('.filters select').selectOption('priceDesc'));
  await names(['Filter mug', 'Filter bowl']);
  await page.goBack();
  await names(['Filter bowl', 'Filter mug']);
  assert.deepEqual(Object.fromEntries(new URL(page.url()).searchParams), { q: 'filter', inStock: 'true', sort: 'name' });
});

test('a page says how often its goods were ordered lately, and counts on', async () => {
  const buyer = await newMember(shop, 'cora');
  const { page } = await member('dora');
  const cake = await newGoods(shop, 'Lately cake');
  await order(shop, buyer, cake);
  await page.goto(detailOf(cake));
  const ordered = page.locator('[data-role="ordered-last-hour"]');
  await ordered.filter({ hasText: '1 order in the last hour' }).waitFor();
  await page.waitForFunction(() => document.querySelector('shopbell-toasts').source.state === 'open');
  await order(shop, buyer, cake);
  await ordered.filter({ hasText: '2 orders in the last hour' }).waitFor();
  // Whether what is canceled was one of them, the shop is asked.
  const asked = page.waitForResponse((response) => new URL(response.url()).pathname === `/api/goods/${cake.goodsId}`);
  await page.evaluate((goodsId) => {
    const detail = { goodsId, canceled: 1, date: new Date().toISOString() };
    document.querySelector('shopbell-toasts').source.dispatchEvent(new CustomEvent('BUY_CANCELED', { detail }));
  }, cake.goodsId);
  await asked;
  await ordered.filter({ hasText: '2 orders in the last hour' }).waitFor();
});

test('the categories are those of the whole shop, and those of the list where a server has no others', async () => {
  const { page, allow } = await visitor();
  const chips = page.locator('.chips .chip');
  await page.route('**/api/categories', (route) => route.fulfill({ json: { categories: [{ name: 'drinks', count: 1001 }, { name: 'rare', count: 1 }] } }));
  await page.goto('/goods.html');
  await chips.filter({ hasText: 'Rare' }).waitFor();
  assert.deepEqual(await chips.allInnerTexts(), ['All', 'Drinks', 'Rare']);
  allow(404);
  await page.unroute('**/api/categories');
  await page.route('**/api/categories', (route) => route.fulfill({ status: 404, json: { code: 'not_found' } }));
  await page.evaluate(() => sessionStorage.clear());
  await page.goto('/goods.html');
  await chips.filter({ hasText: 'Pantry' }).waitFor();
});

test('a page asks for its language, and shows what the server says of a field', async () => {
  const { page, allow } = await visitor({ locale: 'ko-KR' });
  allow(400);
  const asked = [];
  page.on('request', (request) => { if (request.url().endsWith('/api/users')) asked.push(request.headers()['accept-language']); });
  await page.route('**/api/users', (route) => route.fulfill({
    status: 400, contentType: 'application/problem+json',
    json: { code: 'validation', errorMessage: '입력한 내용을 확인해 주세요.', errors: [{ field: 'nickname', code: 'invalid', message: '닉네임을 확인해 주세요.' }] },
  }));
  await page.goto('/register.html');
  await fillIn(page, { nickname: '<', email: 'x@example.com', password: PASSWORD, confirmPassword: PASSWORD });
  await page.locator('#field-nickname-error', { hasText: '닉네임을 확인해 주세요.' }).waitFor();
  assert.deepEqual(asked, ['ko']);
});
