/**
 * The chat beside goods, in browsers: who is there, what was said, a report, and a shopkeeper who mutes.
 * Not for: what the server makes of it (tests/it/realtime/moderation.rs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newGoods } from './people.mjs';
import { fillIn, storefront } from './storefront.mjs';

let shop;
let page;
const front = storefront([], async (opened) => {
  shop = opened;
  page = `/detail.html?goodsId=${(await newGoods(shop, 'Test tea')).goodsId}`;
});

const here = (person, count) => person.page.locator(`[data-role="chat-people"][data-count="${count}"]`).waitFor();
const line = (person, text) => person.page.locator('[data-role="chat-message"]', { hasText: text });

async function say(person, text) {
  await person.page.locator('#chat-form [name=message]').fill(text);
  await person.page.locator('#chat-form [type=submit]').click();
}

test('people beside the same goods talk, and who comes later reads it; a shopkeeper mutes who was reported', async () => {
  const [kim, lee] = await Promise.all([front.member('kimc', page), front.member('leec', page)]);
  await Promise.all([here(kim, 2), here(lee, 2)]);
  assert.deepEqual((await kim.page.locator('.chat-name').allInnerTexts()).sort(), ['kimc', 'leec']);
  const markup = '<img src=x onerror=alert(1)>';
  await say(kim, markup);
  await line(lee, '＜img src=x').waitFor();
  await say(lee, 'buy pills');
  await line(kim, 'buy pills').waitFor();

  const keeper = await front.guest();
  await keeper.page.goto(`/login.html?next=${encodeURIComponent(page)}`);
  await fillIn(keeper.page, shop.admin);
  await here(keeper, 3);
  await line(keeper, '＜img src=x').waitFor();
  assert.equal(await keeper.page.locator('.chat img').count(), 0);

  await line(kim, 'buy pills').locator('[data-action="report-message"]').click();
  await kim.page.locator('[data-action="confirm-report"]').click();
  await kim.page.locator('.notice', { hasText: 'Thank you' }).waitFor();
  await line(keeper, 'buy pills').locator('[data-action="report-message"]').click();
  await keeper.page.locator('[data-action="confirm-mute"]').click();
  await keeper.page.locator('.notice', { hasText: 'leec cannot write any more' }).waitFor();
  await line(keeper, 'buy pills').waitFor({ state: 'detached' });

  await say(lee, 'more pills');
  await lee.page.locator('.chat [role=alert]', { hasText: 'You cannot write here' }).waitFor();
  // What was written stays to be looked at.
  assert.equal(await lee.page.locator('#chat-form [name=message]').inputValue(), 'more pills');
  await kim.page.reload();
  await line(kim, '＜img src=x').waitFor();
  assert.equal(await line(kim, 'pills').count(), 0);

  await keeper.page.goto('/admin/reports?state=closed');
  const row = keeper.page.locator('tbody tr', { hasText: 'buy pills' });
  await row.filter({ hasText: 'leec' }).filter({ hasText: 'kimc' }).locator('[data-role="report-state"]', { hasText: 'Muted' }).waitFor();
});

test('guests are told that the chat is for members', async () => {
  const { page: guest } = await front.guest();
  await guest.goto(page);
  await guest.locator('.chat-login').waitFor();
  assert.equal(await guest.locator('#chat-form').isVisible(), false);
});
