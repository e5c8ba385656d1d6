/**
 * Pages in the style of a Node/Express/Socket.IO shop with the client that they bring, socket.io-client 3.0.1, in headless
 * Chromium: the cookie alone says who is there.
 * Not for: their forms (seed-shop.test.mjs), other versions (socketio.test.mjs).
 */

import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

import { newGoods, newMember } from './people.mjs';
import { openPage, startBrowser, startShop } from './support.mjs';

let assets;
let shop;
let browser;
let goods;

before(async () => {
  assets = await mkdtemp(join(tmpdir(), 'seed-live-'));
  await cp(new URL('seed-live/', import.meta.url), assets, { recursive: true });
  const client = dirname(createRequire(import.meta.url).resolve('socket.io-client-3-0/package.json'));
  await cp(join(client, 'dist/socket.io.js'), join(assets, 'socket.io.js'));
  shop = await startShop('--assets', assets);
  goods = await newGoods(shop, 'Sparkling water');
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await shop?.stop();
  await rm(assets, { recursive: true, force: true });
});

/** A shopper on the page of some goods, with the cookie of a log-in and nothing else; a guest without an account. */
async function shopper(t, query, account) {
  const person = await openPage(browser, shop.url);
  t.after(() => person.context.close());
  // There is no icon.
  person.allow(404);
  if (account) {
    const [name, value] = account.cookie.split('=');
    await person.context.addCookies([{ name, value, url: shop.url, httpOnly: true, sameSite: 'Lax' }]);
  }
  const sockets = [];
  person.page.on('websocket', (socket) => sockets.push(socket));
  await person.page.goto(`/index.html?goodsId=${goods.goodsId}${query}`);
  await person.page.locator('body[data-connected]').waitFor();
  return { ...person, sockets };
}

const viewers = (page, count) => page.locator('#viewers', { hasText: new RegExp(`^${count}$`) }).waitFor();
const alertOf = (page, account) =>
  page.locator(`#alerts li[data-id="${goods.goodsId}"]`, { hasText: `${account.nickname} just ordered ${goods.name}` });

for (const [way, query, upgrades] of [['upgrading', '', true], ['polling only', '&poll=1', false]]) {
  test(`one buys, both see it, a guest does not; ${way}`, async (t) => {
    const names = upgrades ? ['mina', 'theo'] : ['ann', 'bob'];
    const accounts = await Promise.all(names.map((name) => newMember(shop, name)));
    const [buyer, other] = await Promise.all(accounts.map((account) => shopper(t, `${query}&nickname=nobody`, account)));
    await Promise.all([viewers(buyer.page, 2), viewers(other.page, 2)]);
    const guest = await shopper(t, query);
    await Promise.all([buyer, other, guest].map(({ page }) => viewers(page, 3)));

    await buyer.page.locator('#buy').click();
    await Promise.all([buyer, other].map(({ page }) => alertOf(page, accounts[0]).waitFor()));
    const date = Date.parse(await alertOf(other.page, accounts[0]).getAttribute('data-date'));
    assert.ok(Math.abs(Date.now() - date) < 60_000);
    await other.page.locator('#buy').click();
    await Promise.all([buyer, other].map(({ page }) => alertOf(page, accounts[1]).waitFor()));
    for (const { page } of [buyer, other]) assert.equal(await page.locator('#alerts li').count(), 2);
    assert.equal(await guest.page.locator('#alerts li').count(), 0);
    await guest.context.close();
    await Promise.all([viewers(buyer.page, 2), viewers(other.page, 2)]);

    for (const { page, sockets, problems } of [buyer, other]) {
      const transport = upgrades ? 'websocket' : 'polling';
      await page.waitForFunction((name) => socket.io.engine.transport.name === name, transport);
      assert.equal(sockets.length, upgrades ? 1 : 0);
      assert.deepEqual(problems, []);
    }
  });
}

test('pages come back by themselves after a restart', async (t) => {
  const account = await newMember(shop, 'carl');
  const pages = await Promise.all(['', '&poll=1'].map((query) => shopper(t, query, account)));
  await shop.pause();
  for (const { page } of pages) await page.locator('body[data-reason]:not([data-connected])').waitFor();
  await shop.resume();
  for (const { page } of pages) await page.locator('body[data-connected]').waitFor();
  await Promise.all(pages.map(({ page }) => viewers(page, 1)));
  await pages[0].page.locator('#buy').click();
  for (const { page } of pages) await alertOf(page, account).waitFor();
});
