/**
 * `/docs`: what a reader of the contract does in a browser.
 * Not for: whether the documents are true (openapi.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { storefront } from './storefront.mjs';

const front = storefront();

test('every route and every event is there, found by words and by address', async () => {
  const { page } = await front.guest();
  // An address that was cut short names nothing.
  await page.goto('/docs#%');
  await page.locator('#goods_list').waitFor();
  const [openapi, asyncapi] = await Promise.all(['openapi', 'asyncapi'].map(async (name) => (await page.request.get(`/api/${name}.json`)).json()));
  const operations = Object.values(openapi.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
  const events = new Set(Object.values(asyncapi.operations).map(({ action, title }) => `event-${action === 'send' ? 'told' : 'asked'}-${title}`));
  const shown = await page.locator('.docs-item').evaluateAll((items) => items.map((item) => item.id));
  assert.deepEqual(shown.toSorted(), [...operations, ...events].toSorted());

  await page.getByRole('searchbox').fill('out_of_stock');
  await page.locator('#shop_show').waitFor({ state: 'hidden' });
  await page.locator('#orders_place').waitFor();

  await page.goto('/docs#event-told-BUY_GOODS');
  await page.locator('#event-told-BUY_GOODS[open] .docs-name', { hasText: /^goodsName$/ }).waitFor();
});

test('a route is tried as whoever is logged in', async () => {
  const { page } = await front.member('dora');
  await page.goto('/docs#users_show');
  const route = page.locator('#users_show');
  await route.locator('form button[type=submit]').click();
  await route.locator('[data-role="status"]', { hasText: '200' }).waitFor();
  await route.locator('[data-role="answer"]', { hasText: 'dora@example.com' }).waitFor();
});

test('a body and an id are sent as they were typed, and a refusal is shown as it came', async () => {
  const { page, allow } = await front.member('duke');
  await page.goto('/docs#cart_put');
  allow(400);
  const route = page.locator('#cart_put');
  await route.locator('input').first().fill('1');
  await route.locator('textarea').fill('{"quantity": 0}');
  await route.locator('form button[type=submit]').click();
  await route.locator('[data-role="status"]', { hasText: '400' }).waitFor();
  await route.locator('[data-role="answer"]', { hasText: '"validation"' }).waitFor();
  await route.locator('textarea').fill('{"quantity": 3}');
  await route.locator('form button[type=submit]').click();
  await route.locator('[data-role="status"]', { hasText: '200' }).waitFor();
  const { cart } = await (await page.request.get('/api/goods/cart')).json();
  assert.deepEqual(cart.map(({ quantity, goods }) => [quantity, goods.goodsId]), [[3, 1]]);
});

test('a stream is shown as it comes, until it is stopped', async () => {
  const { page } = await front.member('dina');
  await page.goto('/docs#sse_events');
  const route = page.locator('#sse_events');
  await route.locator('form button[type=submit]').click();
  await route.locator('[data-role="answer"]', { hasText: 'event: hello' }).waitFor();
  await route.getByRole('button', { name: 'Stop' }).click();
  await route.locator('form button[type=submit]:not([disabled])').waitFor();
});
