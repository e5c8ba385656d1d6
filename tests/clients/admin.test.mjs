/**
 * The control room as a shopkeeper uses it who has only a browser, against the real program.
 * Not for: what the server answers (tests/it), how the pages read for everyone (a11y.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, crc32 } from 'node:zlib';

import { logIn, newGoods, newMember, order } from './people.mjs';
import { adminOf, asAdmin, drawn, openTaker, sendAsWoo, visit, wooOrder } from './room.mjs';
import { fillIn, storefront, toasts } from './storefront.mjs';

const front = storefront(['--allow-private-endpoints', '--audience', 'everyone']);

const field = (page, name, form = 'main form') => page.locator(`${form} [name="${name}"]`);
const action = (page, name) => page.locator(`[data-action="${name}"]`);
const confirm = (page) => page.locator('dialog [data-action="confirm"]').click();

/** A picture of one color, as a file of the PNG format. */
function png(width, height) {
  const chunk = (type, data) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(data.length);
    head.write(type, 4);
    const tail = Buffer.alloc(4);
    tail.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), data])));
    return Buffer.concat([head, data, tail]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + 3 * width), 120);
  for (let row = 0; row < height; row += 1) rows[row * (1 + 3 * width)] = 0;
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

test('a guest is asked to log in, a member is told whose page it is, an admin finds the way in the shop', async () => {
  const member = await front.member('curious', '/');
  assert.equal(await member.page.locator('.header-admin').isVisible(), false);
  await member.page.goto('/admin/orders');
  await member.page.locator('main h1', { hasText: 'for the shop’s admins' }).waitFor();
  assert.equal(await member.page.locator('main table').count(), 0);

  const admin = await adminOf(front, '/admin/orders');
  await admin.page.goto('/');
  await admin.page.locator('.header-admin').click();
  await admin.page.waitForURL('**/admin');
  await drawn(admin.page);
});

test('goods are made with a picture, and their stock changes by so many pieces', async () => {
  const { page, allow } = await adminOf(front, '/admin/goods');
  allow(409);
  await action(page, 'make-goods').first().click();
  await drawn(page);
  await page.locator('[data-role="picture-file"]').setInputFiles({ name: 'lamp.png', mimeType: 'image/png', buffer: png(64, 48) });
  await page.waitForFunction(() => /^\/media\//.test(document.querySelector('[name="thumbnailUrl"]').value));
  await fillIn(page, { name: 'Paper lamp "L"', category: 'lights', price: '24.5', stock: '8' }, '#goods-form');
  await page.locator('main h1', { hasText: 'Paper lamp "L"' }).waitFor();
  const shown = page.locator('.picture-shown img');
  await shown.waitFor();
  await page.waitForFunction(() => document.querySelector('.picture-shown img').naturalWidth > 0);

  await fillIn(page, { change: '-3', reason: 'fell down' }, '#stock-form');
  await page.locator('[data-role="stock"]', { hasText: '5' }).waitFor();
  await page.locator('[data-role="stock-history"]', { hasText: 'fell down' }).waitFor();
  // What the server refuses stands at its field.
  await fillIn(page, { change: '-9' }, '#stock-form');
  await page.locator('#stock-form .form-error', { hasText: /\S/ }).waitFor();
});

test('what someone else changed meanwhile is shown before anything is overwritten', async () => {
  const goods = await newGoods(front.shop, 'Contested chair');
  const { page, allow } = await adminOf(front, `/admin/goods-edit?goodsId=${goods.goodsId}`);
  allow(412);
  await asAdmin(front.shop, 'PATCH', `/goods/${goods.goodsId}`, { price: 9.9 });
  await fillIn(page, { name: 'Contested stool' }, '#goods-form');
  await page.locator('dialog', { hasText: '9.9' }).waitFor();
  await action(page, 'save-over').click();
  await page.locator('main h1', { hasText: 'Contested stool' }).waitFor();
  // Both changes hold.
  assert.equal(await field(page, 'price', '#goods-form').inputValue(), '9.9');
});

test('what someone else changed while the page reads the new stock is not overwritten either', async () => {
  const goods = await newGoods(front.shop, 'Contested table');
  await asAdmin(front.shop, 'PATCH', `/goods/${goods.goodsId}`, { stock: 4 });
  const { page, allow } = await adminOf(front, `/admin/goods-edit?goodsId=${goods.goodsId}`);
  allow(412);
  let goOn;
  const changed = new Promise((resolve) => { goOn = resolve; });
  await page.route(`**/api/goods/${goods.goodsId}`, async (route) => {
    if (route.request().method() === 'GET') await changed;
    await route.continue();
  });
  const asked = page.waitForRequest((request) => request.method() === 'GET' && request.url().endsWith(`/goods/${goods.goodsId}`));
  await fillIn(page, { change: '3' }, '#stock-form');
  await asked;
  await asAdmin(front.shop, 'PATCH', `/goods/${goods.goodsId}`, { price: 8.8 });
  const read = page.waitForResponse((response) => response.request().method() === 'GET' && response.url().endsWith(`/goods/${goods.goodsId}`));
  goOn();
  await (await read).finished();
  await fillIn(page, { name: 'Contested desk' }, '#goods-form');
  await page.locator('dialog', { hasText: '8.8' }).waitFor();
});

test('an order arrives on the board and in the list by itself, and is canceled', async () => {
  const goods = await newGoods(front.shop, 'Morning rolls');
  const buyer = await newMember(front.shop, 'early');
  const board = await adminOf(front, '/admin');
  const { page } = await adminOf(front, '/admin/orders');
  await board.page.locator('[data-role="live"]', { hasText: 'Live' }).waitFor();
  // The figures come once a second.
  await board.page.waitForFunction(() => /^\d/.test(document.querySelector('[data-role="now.sessions"]').textContent));
  const { orderId } = await order(front.shop, buyer, goods);
  await board.page.locator(`[data-role="feed"] [data-order-id="${orderId}"]`, { hasText: 'Morning rolls' }).waitFor();
  await page.locator(`tr[data-key="${orderId}"]`, { hasText: 'early' }).getByRole('link').click();
  await drawn(page);
  await page.locator('[data-role="bell-reason"]', { hasText: 'It rang' }).waitFor();
  await action(page, 'cancel-order').click();
  await confirm(page);
  await page.locator('[data-role="order-status"][data-status="canceled"]').waitFor();
  await board.page.locator(`[data-order-id="${orderId}"][data-status="canceled"]`).waitFor();
  assert.equal((await asAdmin(front.shop, 'GET', `/admin/orders/${orderId}`)).order.status, 'canceled');
});

test('orders are found, and go into a file', async () => {
  const goods = await newGoods(front.shop, 'Needle in the haystack');
  const buyer = await newMember(front.shop, 'finder');
  const { orderId } = await order(front.shop, buyer, goods);
  const { page } = await adminOf(front, '/admin/orders');
  await page.locator('[name="q"]').fill('needle');
  await page.waitForURL('**/admin/orders?q=needle');
  await page.waitForFunction((id) => document.querySelectorAll('tbody tr').length === 1 && document.querySelector(`tr[data-key="${id}"]`), orderId);
  const [file] = await Promise.all([page.waitForEvent('download'), action(page, 'orders-csv').click()]);
  const lines = (await (await import('node:fs/promises')).readFile(await file.path(), 'utf8')).trim().split('\n');
  assert.equal(lines.length, 2);
  assert.match(lines[1], /Needle in the haystack/);
});

test('a pest is banned and at once logged out', async () => {
  const pest = await front.member('pest', '/');
  await pest.page.waitForFunction(() => document.querySelector('shopbell-toasts')?.source.state === 'open');
  pest.allow(403);
  const { page } = await adminOf(front, '/admin/people?q=pest');
  await page.getByRole('row', { name: /pest@example\.com/ }).locator('[data-action="manage-person"]').click();
  await action(page, 'ban').click();
  // A notice does not stay.
  const told = pest.page.locator('.notice', { hasText: 'logged out' }).waitFor();
  await Promise.all([told, confirm(page)]);
  await page.getByRole('row', { name: /pest@example\.com/ }).locator('[data-role="person-state"]', { hasText: 'Banned' }).waitFor();
  await assert.rejects(logIn(front.shop, pest.account), /banned/);
});

test('a WooCommerce shop is connected step by step, and it is said why a test order did not ring', async () => {
  const { page } = await adminOf(front, '/admin/sources');
  await action(page, 'make-source').first().click();
  await page.locator('[data-kind="woocommerce"]').click();
  await fillIn(page, { name: 'Kiln & Co' }, '#source-form');
  const secret = await page.locator('[data-role="source-secret"]').textContent();
  const url = await page.locator('[data-role="source-url"]').textContent();
  assert.equal(new URL(url).origin, front.shop.url);
  await action(page, 'open-source').click();
  await page.locator('[data-role="findings"]', { hasText: 'Nothing has come yet' }).waitFor();

  assert.equal(await sendAsWoo(url, `not ${secret}`, wooOrder(70, 'processing')), 401);
  await action(page, 'look-again').click();
  await page.locator('[data-role="findings"]', { hasText: 'not signed with this secret' }).waitFor();

  assert.equal(await sendAsWoo(url, secret, wooOrder(71, 'pending')), 200);
  await action(page, 'look-again').click();
  await page.locator('[data-role="silent-why"]', { hasText: 'not paid yet' }).waitFor();
  await page.locator('[data-role="receipt-why"]', { hasText: 'not paid yet' }).waitFor();

  assert.equal(await sendAsWoo(url, secret, wooOrder(71, 'processing')), 200);
  await action(page, 'look-again').click();
  await page.locator('tbody tr', { hasText: 'Rang' }).getByRole('link', { name: '71' }).click();
  await page.locator('[data-role="bell-reason"]', { hasText: 'It rang' }).waitFor();
  await page.locator('.facts', { hasText: 'Kiln & Co' }).waitFor();
});

test('the way in of an own backend is tried with a test order, which never rings', async () => {
  const { page } = await adminOf(front, '/admin/sources?kind=standard');
  await fillIn(page, { name: 'Own backend' }, '#source-form');
  await action(page, 'send-test-order').click();
  await page.locator('[data-role="test-outcome"]', { hasText: 'a test never rings' }).waitFor();
});

test('a Stripe source has a secret that nobody knows until it has its own', async () => {
  const { page } = await adminOf(front, '/admin/sources?kind=stripe');
  const made = page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/api/admin/sources'));
  await fillIn(page, { name: 'Checkout' }, '#source-form');
  assert.match((await made).postDataJSON().secret, /^whsec_[0-9a-f]{48}$/);
  await page.locator('main h1', { hasText: 'Checkout' }).waitFor();
});

test('the preview of alerts leaves the quiet that this browser wants on the shop’s pages', async () => {
  const { page } = await adminOf(front, '/admin/alerts');
  const kept = () => page.evaluate(() => JSON.stringify(Object.entries(localStorage).sort()));
  await page.evaluate(() => document.querySelector('shopbell-toasts').mute(1));
  const before = await kept();
  await action(page, 'preview').click();
  await toasts(page).first().waitFor();
  assert.equal(await kept(), before);
});

test('markup in what a webhook says is shown as text', async () => {
  const { source, secret } = await asAdmin(front.shop, 'POST', '/admin/sources', { kind: 'woocommerce', name: 'Mischief' });
  const url = new URL(source.url, front.shop.url).href;
  const evil = '<img src=x onerror="document.title=\'pwned\'">';
  assert.equal(await sendAsWoo(url, secret, { ...wooOrder(90, evil, evil), billing: { first_name: evil } }), 200);
  assert.equal(await sendAsWoo(url, secret, { ...wooOrder(91, 'processing', evil), billing: { first_name: evil } }), 200);
  const { page } = await adminOf(front, `/admin/source?sourceId=${source.sourceId}`);
  await action(page, 'show-receipt').first().click();
  await page.locator('dialog pre', { hasText: 'onerror' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: '91', exact: true }).click();
  await page.locator('[data-role="bell-reason"]').waitFor();
  await visit(page, '/admin');
  await page.locator('[data-role="feed"] li[data-status]').first().waitFor();
  assert.equal(await page.locator('[onerror]').count(), 0);
  assert.doesNotMatch(await page.title(), /pwned/);
});

test('an endpoint is told a test, and shows its secret once', async (context) => {
  const taker = await openTaker(context);
  const { page } = await adminOf(front, '/admin/endpoints');
  await action(page, 'make-endpoint').first().click();
  await fillIn(page, { url: taker.url }, 'dialog form');
  assert.match(await page.locator('[data-role="endpoint-secret"]').textContent(), /^whsec_/);
  await page.locator('dialog').getByRole('button', { name: 'Close' }).click();
  await page.getByRole('link', { name: taker.url }).click();
  await action(page, 'test-endpoint').click();
  await page.locator('tbody tr', { hasText: 'Delivered' }).locator('[data-action="show-attempts"]').click();
  await page.locator('dialog', { hasText: 'HTTP 200' }).waitFor();
  assert.equal(taker.taken[0].type, 'endpoint.test');
});

test('a listen key is made with its line for the page, and revoked', async () => {
  const { page } = await adminOf(front, '/admin/listen-keys');
  await action(page, 'make-key').first().click();
  await fillIn(page, { origins: 'https://kiln.example, https://www.kiln.example', name: 'Kiln' }, 'dialog form');
  const line = await page.locator('[data-role="snippet"]').textContent();
  assert.match(line, /^<script type="module" src="http.*data-key="lk_\w+"><\/script>$/);
  await page.locator('dialog').getByRole('button', { name: 'Close' }).click();
  await action(page, 'revoke-key').click();
  await confirm(page);
  await page.locator('tbody tr', { hasText: 'Revoked' }).waitFor();
});

test('a dialog and the menu of a phone work without a mouse, and no page is wider than the phone', async () => {
  const { page, allow } = await adminOf(front, '/admin/listen-keys', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  allow(400);
  const focused = () => page.evaluate(() => document.activeElement?.className ?? '');
  await page.locator('.room-menu').focus();
  await page.keyboard.press('Enter');
  await page.locator('.room-nav.is-open a[aria-current="page"]').waitFor();
  await page.keyboard.press('Escape');
  assert.match(await focused(), /room-menu/);
  assert.equal(await page.locator('.room-nav.is-open').count(), 0);

  await page.locator('[data-action="make-key"]').first().focus();
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').waitFor();
  await page.keyboard.type('no address');
  await page.keyboard.press('Enter');
  await page.locator('dialog .field-error', { hasText: /\S/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.match(await focused(), /button-primary/);

  for (const path of ['/admin', '/admin/orders', '/admin/goods', '/admin/goods-edit', '/admin/sources?new', '/admin/people']) {
    await visit(page, path);
    await page.locator('main .skeleton').first().waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, path);
  }
});
