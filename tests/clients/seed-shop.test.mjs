/**
 * Pages in the style of a Node/Express/jQuery shop run against the program as they are: form bodies, `Bearer null`,
 * a token in localStorage, goods inserted as HTML.
 * Not for: their sockets.
 */

import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { openPage, startBrowser, startShop } from './support.mjs';

let assets;
let shop;
let browser;

before(async () => {
  assets = await mkdtemp(join(tmpdir(), 'seed-shop-'));
  await cp(new URL('seed-shop/', import.meta.url), assets, { recursive: true });
  const jquery = createRequire(import.meta.url).resolve('jquery').replace(/[^/]*$/, 'jquery.min.js');
  await cp(jquery, join(assets, 'jquery.min.js'));
  shop = await startShop('--assets', assets);
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await shop?.stop();
  await rm(assets, { recursive: true, force: true });
});

test('an unmodified page registers, logs in, fills a cart and orders', async () => {
  const { page, problems, allow, context } = await openPage(browser, shop.url);
  // Guests are told so by their own account, once the pictures of the demo are not here.
  for (const status of [401, 404, 409]) allow(status);
  const message = page.locator('#message');

  await page.goto('/index.html');
  await page.locator('#who', { hasText: 'guest' }).waitFor();
  // `Bearer null` reads the goods.
  await page.locator('#goods li').first().waitFor();

  await page.goto('/register');
  const signUp = async (password) => {
    await page.locator('#inputNickname').fill('mina');
    await page.locator('#inputEmail').fill('mina@example.com');
    await page.locator('#inputPassword').fill('correct horse');
    await page.locator('#inputConfirmPassword').fill(password);
    await page.getByRole('button', { name: 'Register' }).click();
  };
  allow(400);
  await signUp('another horse');
  await page.locator('#message[data-code=password_mismatch]').waitFor();
  assert.match(await message.innerText(), /\S/);
  await signUp('correct horse');
  await page.locator('#message[data-code=registered]').waitFor();
  await signUp('correct horse');
  await page.locator('#message[data-code$=_taken]').waitFor();
  await page.locator('#loginEmail').fill('mina@example.com');
  await page.locator('#loginPassword').fill('correct horse');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL('**/index.html');
  await page.locator('#who', { hasText: 'mina' }).waitFor();
  assert.equal((await page.evaluate(() => localStorage.getItem('token'))).split('.').length, 3);
  const cookies = await context.cookies();
  assert.ok(cookies.some(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Lax'), 'and the cookie for its socket');

  const [first, second] = await page.locator('#goods li').evaluateAll((all) => all.slice(0, 2).map((one) => one.dataset.id));
  await page.locator(`#goods li[data-id="${first}"] .put`).click();
  await page.locator(`#who[data-put="${first}"]`).waitFor();
  await page.locator(`#goods li[data-id="${second}"] .add`).click();
  await page.locator(`#who[data-added="${second}"]`).waitFor();
  await page.locator(`#goods li[data-id="${first}"] .add`).click();
  await page.locator('#who[data-error="already_in_cart"]').waitFor();

  await page.goto('/cart.html');
  await page.locator('#cart[data-lines="2"]').waitFor();
  await page.locator('#cart li', { hasText: ' x 1' }).locator('.drop').click();
  await page.locator('#cart[data-lines="1"]').waitFor();
  await page.locator('#order').click();
  await page.locator('#message[data-code=ordered]').waitFor();

  const token = await page.evaluate(() => localStorage.getItem('token'));
  const told = await (await page.request.get('/api/notifications', { headers: { Authorization: `Bearer ${token}` } })).json();
  assert.equal(told.latest, 1);
  assert.equal(told.notifications[0].data.nickname, 'mina');
  assert.equal(told.notifications[0].data.quantity, 2);
  assert.deepEqual(problems, []);
  await context.close();
});

test('a token that no longer holds makes a guest again', async () => {
  const { page, allow, context, problems } = await openPage(browser, shop.url);
  for (const status of [401, 404]) allow(status);
  await page.goto('/index.html');
  await page.evaluate(() => localStorage.setItem('token', 'x.y.z'));
  await page.reload();
  await page.locator('#who', { hasText: 'guest' }).waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem('token')), null);
  await page.locator('#goods li').first().waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});
