/**
 * The control room as a shopkeeper uses it who has only a browser, against the real program.
 * Not for: what the server answers (tests/it), how the pages read for everyone (admin-a11y.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newGoods } from './people.mjs';
import { adminOf, asAdmin, openTaker } from './room.mjs';
import { fillIn, storefront } from './storefront.mjs';

const front = storefront(['--allow-private-endpoints', '--audience', 'everyone']);

const field = (page, name, form = 'main form') => page.locator(`${form} [name="${name}"]`);
const action = (page, name) => page.locator(`[data-action="${name}"]`);
const confirm = (page) => page.locator('dialog [data-action="confirm"]').click();

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

test('the way in of an own backend is tried with a test order, which never rings', async () => {
  const { page } = await adminOf(front, '/admin/sources?kind=standard');
  await fillIn(page, { name: 'Own backend' }, '#source-form');
  await action(page, 'send-test-order').click();
  await page.locator('[data-role="test-outcome"]', { hasText: 'a test never rings' }).waitFor();
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
