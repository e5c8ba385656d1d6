/**
 * What members do on their account page, with other tabs and devices open.
 * Not for: what the server makes of it (tests/it/contract_http/own_account.rs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { latest, logIn, newGoods, newMember, order } from './people.mjs';
import { PASSWORD, fillIn, logInOn, storefront, toasts } from './storefront.mjs';

const NEW = 'battery staple';
let shop;
let tea;
const front = storefront([], async (opened) => {
  shop = opened;
  tea = await newGoods(shop, 'Test tea');
});

/** Waits until the page's connection is open, for the log-in that it has now. */
async function connected(page, but = null) {
  await page.waitForFunction((but) => {
    const { source } = document.querySelector('shopbell-toasts');
    return source.state === 'open' && source.hello.user && source.hello.session !== but;
  }, but);
  return page.evaluate(() => document.querySelector('shopbell-toasts').source.hello.session);
}

const nameShown = (page, nickname) => page.locator('[data-role="account-nickname"]', { hasText: nickname });

test('after a new password this tab and the others go on by themselves, and other devices are logged out', async () => {
  const kim = await front.member('kyra', '/account.html');
  const tab = await kim.context.newPage();
  await tab.goto('/');
  const phone = await front.guest();
  await phone.page.goto('/login.html');
  await logInOn(phone.page, 'kyra');
  await nameShown(phone.page, 'kyra').waitFor();
  const buyer = await newMember(shop, 'leon');
  for (let round = 0; round < 5; round += 1) {
    const [from, to] = round % 2 ? [NEW, PASSWORD] : [PASSWORD, NEW];
    const before = [await connected(kim.page), await connected(tab)];
    await fillIn(kim.page, { currentPassword: from, password: to }, '#password-form');
    await kim.page.locator('.notice', { hasText: 'Password changed' }).waitFor();
    await Promise.all([connected(kim.page, before[0]), connected(tab, before[1])]);
    await order(shop, buyer, tea);
    const id = await latest(shop, buyer);
    for (const page of [kim.page, tab]) await page.locator(`shopbell-toasts [data-id="${id}"]`).waitFor();
    for (const page of [kim.page, tab]) assert.equal(await page.locator('.notice', { hasText: 'log' }).filter({ hasNotText: 'Password changed' }).count(), 0);
  }
  await nameShown(phone.page, 'kyra').waitFor({ state: 'detached' });
  // What follows is asked with the new cookie.
  await kim.page.reload();
  await nameShown(kim.page, 'kyra').waitFor();
  await tab.goto('/orders.html');
  await nameShown(tab, 'kyra').waitFor();
});

test('a wrong current password changes nothing and is told', async () => {
  const { page } = await front.member('max', '/account.html');
  await fillIn(page, { currentPassword: 'wrong horse', password: NEW }, '#password-form');
  await page.locator('#password-form [role=alert]', { hasText: /\S/ }).waitFor();
  await fillIn(page, { email: 'other@example.com', currentPassword: 'wrong horse' }, '#email-form');
  await page.locator('#email-form [role=alert]', { hasText: /\S/ }).waitFor();
  await nameShown(page, 'max').waitFor();
  await connected(page);
});

test('a new e-mail address is shown and logged in with', async () => {
  const { page } = await front.member('mia', '/account.html');
  await fillIn(page, { email: 'MIA@bücher.example', currentPassword: PASSWORD }, '#email-form');
  await page.locator('.notice', { hasText: 'new address' }).waitFor();
  await page.locator('[data-role="account-email"]', { hasText: 'MIA@xn--bcher-kva.example' }).waitFor();
  await page.reload();
  await page.locator('[data-role="account-email"]', { hasText: 'MIA@xn--bcher-kva.example' }).waitFor();
  await logIn(shop, { email: 'mia@bücher.example', password: PASSWORD });
});

test('one logs out elsewhere and stays here', async () => {
  const { page } = await front.member('noa', '/account.html');
  const phone = await front.guest();
  await phone.page.goto('/login.html');
  await logInOn(phone.page, 'noa');
  await nameShown(phone.page, 'noa').waitFor();
  await connected(phone.page);
  const before = await connected(page);
  await page.locator('[data-action="log-out-elsewhere"]').click();
  await page.locator('.notice', { hasText: 'logged out everywhere else' }).waitFor();
  await nameShown(phone.page, 'noa').waitFor({ state: 'detached' });
  assert.equal(await connected(page), before);
});

test('one downloads what is kept', async () => {
  const { page, account } = await front.member('ola', '/account.html');
  await order(shop, account, tea);
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[data-action="export"]').click()]);
  assert.equal(download.suggestedFilename(), 'shopbell-account.json');
  const parts = [];
  for await (const part of await download.createReadStream()) parts.push(part);
  const kept = JSON.parse(Buffer.concat(parts).toString());
  assert.equal(kept.account.email, 'ola@example.com');
  assert.equal(kept.orders[0].items[0].name, 'Test tea');
});

test('an account is erased after its password, and its name is gone from what others see', async () => {
  const [{ page, account, allow }, lee] = await Promise.all([front.member('pam', '/account.html'), front.member('anja')]);
  await connected(lee.page);
  await order(shop, account, tea);
  await toasts(lee.page).filter({ hasText: 'pam just ordered' }).waitFor();
  await page.locator('[data-action="erase"]').click();
  const dialog = page.locator('dialog');
  await dialog.locator('h2').waitFor();
  await fillIn(page, { password: 'wrong horse' }, '#erase-form');
  await dialog.getByRole('alert').filter({ hasText: /\S/ }).waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.locator('[data-action="erase"]').click();
  await fillIn(page, { password: PASSWORD }, '#erase-form');
  await page.waitForURL((url) => url.pathname === '/');
  await page.locator('.notice', { hasText: 'deleted' }).waitFor();
  await nameShown(page, 'pam').waitFor({ state: 'detached' });
  assert.ok(!(await page.context().cookies()).some(({ name }) => /token/.test(name)), 'the cookie is gone');
  allow(401);
  await page.goto('/login.html');
  await logInOn(page, 'pam');
  await page.getByRole('alert').filter({ hasText: /\S/ }).first().waitFor();
  const { notifications } = await (await lee.page.request.get('/api/notifications?limit=1000')).json();
  assert.ok(notifications.some(({ data }) => data.anonymous), 'the alert is there');
  assert.ok(!notifications.some(({ data }) => data.nickname === 'pam'), 'the name is not');
});

test('who has forgotten the password asks for a link, and its end sets a new one', async () => {
  const { page, allow } = await front.guest();
  // No mail goes out of this shop: what the server would answer is answered here.
  const sent = [];
  await page.route('**/api/auth/reset**', (route) => {
    const { token, ...rest } = route.request().postDataJSON();
    sent.push({ path: new URL(route.request().url()).pathname, token, ...rest });
    if (token === 'used') {
      return route.fulfill({
        status: 400, contentType: 'application/problem+json',
        json: { status: 400, code: 'validation', errorMessage: 'Please check.', errors: [{ field: 'token', code: 'invalid', message: 'used' }] },
      });
    }
    return route.fulfill({ status: token ? 204 : 202 });
  });
  allow(400);
  await page.goto('/login.html');
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await fillIn(page, { email: 'kyra@example.com' }, '#reset-form');
  await page.locator('.lead', { hasText: 'kyra@example.com' }).waitFor();
  await page.goto('/reset.html#token=used');
  await fillIn(page, { password: NEW }, '#reset-form');
  await page.locator('.lead', { hasText: 'too old' }).waitFor();
  await page.goto('/login.html');
  await page.goto('/reset.html#token=good');
  await page.locator('#reset-form input[type="password"]').waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the secret has left the address');
  // As the link to the content does.
  await page.evaluate(() => new Promise((resolve) => {
    addEventListener('hashchange', resolve, { once: true });
    location.hash = 'main';
  }));
  await fillIn(page, { password: NEW }, '#reset-form');
  await page.locator('.lead', { hasText: 'holds' }).waitFor();
  assert.deepEqual(sent, [
    { path: '/api/auth/reset', token: undefined, email: 'kyra@example.com' },
    { path: '/api/auth/reset/confirm', token: 'used', password: NEW },
    { path: '/api/auth/reset/confirm', token: 'good', password: NEW },
  ]);
});
