/**
 * What every page of the shop and of its control room owes its readers: nothing that axe-core finds, in both languages, both color schemes, on a phone
 * and on a desktop; and a first page that is light.
 * Not for: what pages do (browser.test.mjs, pages.test.mjs), keyboards (keyboard.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { axe } from './axe.mjs';
import { newGoods, newMember, order } from './people.mjs';
import { adminOf, asAdmin } from './room.mjs';
import { within } from './sockets.mjs';
import { storefront } from './storefront.mjs';

/** What a cold visit of the first page may weigh, its headers included. */
const FIRST_PAGE_BYTES = 100_000;

let shop;
let tea;
const front = storefront(['--audience', 'everyone'], async (opened) => {
  shop = opened;
  tea = await newGoods(shop, 'Test tea');
});

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const DESKTOP = { viewport: { width: 1280, height: 800 } };
/** Each value of each side is met, and a light and a dark page in either language and size. */
const READERS = {
  'a light phone in Korean': { ...PHONE, colorScheme: 'light', locale: 'ko-KR' },
  'a dark phone in English': { ...PHONE, colorScheme: 'dark', locale: 'en-US' },
  'a dark desktop in Korean': { ...DESKTOP, colorScheme: 'dark', locale: 'ko-KR' },
  'a light desktop in English': { ...DESKTOP, colorScheme: 'light', locale: 'en-US' },
};

/** Draws the page and finds what is wrong with it. */
async function found(page, path) {
  await page.goto(path);
  await page.locator('main:not([aria-busy="true"]) h1').first().waitFor();
  return (await axe(page)).map((finding) => `${path}: ${finding}`);
}

/** Waits until the page's toasts hear the shop. */
const listening = (page) => page.waitForFunction(() => document.querySelector('shopbell-toasts')?.source?.state === 'open');

let number = 0;
for (const [reader, options] of Object.entries(READERS)) {
  test(`axe finds nothing on any page for ${reader}`, async () => {
    // Nothing moves while it is measured.
    const settings = { ...options, reducedMotion: 'reduce' };
    const detail = `/detail.html?goodsId=${tea.goodsId}`;
    const guest = await front.guest(settings);
    guest.allow(404);
    const findings = [];
    for (const path of ['/', '/goods.html', detail, '/cart.html', '/login.html', '/register.html', '/reset.html', '/reset.html#token=x', '/docs#goods_list', '/no-such-page']) {
      findings.push(...await found(guest.page, path));
    }
    const { page, account } = await front.member(`reader${number += 1}`, '/', settings);
    findings.push(...await found(page, '/orders.html'), ...await found(page, '/cart.html'));
    await order(shop, account, tea);
    await page.request.put(`/api/goods/${tea.goodsId}/cart`, { data: { quantity: 2 }, headers: { Authorization: `Bearer ${account.token}` } });
    for (const path of [`/order.html?goodsId=${tea.goodsId}&quantity=2`, '/cart.html', '/orders.html', '/account.html']) {
      findings.push(...await found(page, path));
    }
    // A toast stands on the page.
    await page.goto(detail);
    await listening(page);
    await order(shop, account, tea);
    await page.locator('shopbell-toasts [data-role="toast"]').first().waitFor();
    findings.push(...(await axe(page)).map((finding) => `a toast: ${finding}`));
    // Something was said, and the list of alerts is open.
    await page.locator('#chat-form [name=message]').fill('Hello');
    await page.locator('#chat-form [type=submit]').click();
    await page.locator('[data-role="chat-message"]').first().waitFor();
    await page.locator('[data-action="open-news"]').click();
    await page.locator('.news-item').first().waitFor();
    findings.push(...(await axe(page)).map((finding) => `alerts and chat: ${finding}`));
    assert.deepEqual(findings, []);
  });
}

/** Every page of the control room, with something to show on each. */
async function roomPages() {
  const { orderId } = await order(shop, await newMember(shop, 'roomer'), tea);
  const { source } = await asAdmin(shop, 'POST', '/admin/sources', { kind: 'standard', name: 'Another shop' });
  const { endpoint } = await asAdmin(shop, 'POST', '/admin/endpoints', { url: 'https://backend.example/news', events: ['order.placed'] });
  return [
    '/admin', '/admin/orders', `/admin/order?orderId=${orderId}`, '/admin/goods', `/admin/goods-edit?goodsId=${tea.goodsId}`, '/admin/goods-import',
    '/admin/sources', '/admin/sources?new', `/admin/source?sourceId=${source.sourceId}`, '/admin/endpoints',
    `/admin/endpoint?endpointId=${endpoint.endpointId}`, '/admin/listen-keys', '/admin/people', '/admin/reports', '/admin/audit', '/admin/alerts',
  ];
}
let room;
for (const [reader, options] of Object.entries(READERS)) {
  test(`axe finds nothing in the control room for ${reader}`, async () => {
    room ??= roomPages();
    const findings = [];
    const { page, allow } = await adminOf(front, '/admin/listen-keys', { ...options, reducedMotion: 'reduce' });
    allow(404);
    for (const path of await room) findings.push(...await found(page, path));
    assert.deepEqual(findings, []);
  });
}

test('axe finds what is wrong with a page', async () => {
  const { page } = await front.guest();
  await page.goto('/');
  await page.locator('main h1').waitFor();
  await page.evaluate(() => document.querySelector('main').append(document.createElement('input')));
  assert.match((await axe(page)).join('\n'), /^label /m);
});

test('the first page of the shop weighs at most 100 KB over the wire', async () => {
  const { page } = await front.guest();
  const weights = await weigh(page, '/');
  const sum = weights.reduce((total, { bytes }) => total + bytes, 0);
  assert.ok(weights.length > 20, `only ${weights.length} answers`);
  assert.ok(sum <= FIRST_PAGE_BYTES, `${sum} bytes:\n${weights.map(({ bytes, url }) => `${bytes} ${url}`).join('\n')}`);
});

/** What a visit with an empty cache brings over the wire, heads and bodies, with all pictures down to the page's end. */
async function weigh(page, path) {
  const wire = await page.context().newCDPSession(page);
  await wire.send('Network.enable');
  await wire.send('Network.setCacheDisabled', { cacheDisabled: true });
  const answers = new Map();
  wire.on('Network.requestWillBeSent', ({ requestId, request }) => answers.set(requestId, { url: request.url }));
  wire.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => Object.assign(answers.get(requestId) ?? {}, { bytes: encodedDataLength }));
  await page.goto(path);
  await page.locator('main:not([aria-busy="true"]) article').first().waitFor();
  // Those that wait until they are scrolled to, too.
  await page.evaluate(() => { for (const image of document.images) image.loading = 'eager'; });
  await page.waitForFunction(() => document.images.length > 5 && [...document.images].every(({ complete }) => complete));
  await listening(page);
  const coming = () => [...answers.values()].filter(({ bytes }) => bytes === undefined);
  await within((async () => {
    while (coming().length > 0) await new Promise((resolve) => { wire.once('Network.loadingFinished', resolve); });
  })(), () => `what the page asks for: ${JSON.stringify(coming())}`);
  return [...answers.values()];
}
