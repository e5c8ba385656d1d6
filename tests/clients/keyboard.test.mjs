/**
 * One visit with nothing but a keyboard, from the first page to a toast that is closed: each stop on the way shows that it has
 * the focus, which is never lost.
 * Not for: names and roles (a11y.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newGoods, newMember, order } from './people.mjs';
import { asAdmin } from './room.mjs';
import { PASSWORD, storefront, toasts } from './storefront.mjs';

/** More stops than any page has. */
const MOST_STOPS = 120;

let shop;
let tea;
const { guest } = storefront([], async (opened) => {
  shop = opened;
  tea = await newGoods(shop, 'Test tea');
  // Toasts wait for the test, however slow the machine is.
  await asAdmin(shop, 'PATCH', '/admin/alerts', { toasts: { seconds: 60 } });
});

/** What has the focus, within the toasts too: whether it is what is looked for, can be seen, and shows that it has it. */
const stop = (page, selector) => page.evaluate((selector) => {
  let active = document.activeElement;
  while (active.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  const text = `<${active.localName} ${active.className}> ${(active.ariaLabel ?? active.textContent).trim().slice(0, 40)}`;
  if (active === document.body) return { text };
  const { left, top, width, height } = active.getBoundingClientRect();
  // A small control's ring may be around all of what it stands for.
  const ringed = [active, active.closest('article, li, label')];
  const isRinged = ringed.some((one) => one && getComputedStyle(one).outlineStyle !== 'none' && parseFloat(getComputedStyle(one).outlineWidth) >= 2);
  const isInView = width > 0 && top < innerHeight && top + height > 0 && left < innerWidth && left + width > 0;
  return { text, isRinged, isInView, isFound: active.matches(selector) };
}, selector);

/** Goes from stop to stop until it is at what the selector names. */
async function tabTo(page, selector, key = 'Tab') {
  const seen = [];
  for (let n = 0; n < MOST_STOPS; n += 1) {
    await page.keyboard.press(key);
    const { text, isRinged, isInView, isFound } = await stop(page, selector);
    seen.push(text);
    // Past the last one the browser's own are next.
    if (isRinged === undefined) continue;
    assert.ok(isRinged, `${text} on ${page.url()} does not show its focus`);
    assert.ok(isInView, `${text} on ${page.url()} has the focus out of view`);
    if (isFound) return;
  }
  assert.fail(`no way to ${selector} on ${page.url()}:\n${seen.join('\n')}`);
}

/** Waits until what the selector names has the focus, without a key. */
const hasFocus = (page, selector) => page.waitForFunction((selector) => document.activeElement.matches(selector), selector);

test('from the shop to the end of an order, its alert and a toast, by the keyboard alone', async () => {
  const [buyer, reader] = [await newMember(shop, 'rival'), await newMember(shop, 'kay')];
  const { page } = await guest();
  const press = (key) => page.keyboard.press(key);
  await page.goto('/');
  await page.locator(`article[data-goods-id="${tea.goodsId}"]`).waitFor();

  // Past the header to the goods.
  await tabTo(page, '.skip-link');
  await press('Enter');
  await hasFocus(page, 'main');
  await tabTo(page, `a[href="/detail.html?goodsId=${tea.goodsId}"]`);
  await press('Enter');
  await page.waitForURL('**/detail.html?**');
  await page.locator('[data-action="add-to-cart"]').waitFor();

  // More of them, and one less: a button that does nothing any more keeps nobody's focus.
  await tabTo(page, 'quantity-stepper button:last-child');
  await press('Space');
  await tabTo(page, 'quantity-stepper input', 'Shift+Tab');
  await press('ArrowUp');
  await page.waitForFunction(() => document.querySelector('quantity-stepper').value === 3);
  await tabTo(page, 'quantity-stepper button:first-child', 'Shift+Tab');
  await press('Enter');
  await press('Enter');
  await hasFocus(page, 'quantity-stepper button:first-child[aria-disabled="true"]');
  await tabTo(page, 'quantity-stepper input');
  await page.keyboard.type('2');
  await tabTo(page, '[data-action="add-to-cart"]');
  await press('Space');
  await page.locator('[data-role="cart-count"]', { hasText: '2' }).waitFor();
  await hasFocus(page, '[data-action="add-to-cart"]');

  // To the cart, and there the number by its control.
  await tabTo(page, '.header-cart', 'Shift+Tab');
  await press('Enter');
  await page.waitForURL('**/cart.html');
  await page.locator('[data-action="check-out"]').waitFor();
  await tabTo(page, '.line quantity-stepper button:first-child');
  await press('Enter');
  await page.locator('[data-role="cart-count"]', { hasText: '1' }).waitFor();
  await hasFocus(page, '.line quantity-stepper button:first-child');
  await tabTo(page, '[data-action="check-out"]');
  await press('Enter');

  // The log-in is on the way, and leads on.
  await page.waitForURL('**/login.html?**');
  await page.locator('#login-form').waitFor();
  await tabTo(page, '[name=email]');
  await page.keyboard.type(reader.email);
  await tabTo(page, '[name=password]');
  await page.keyboard.type(PASSWORD);
  await press('Enter');
  await page.waitForURL('**/order.html');
  await page.locator('[data-action="place-order"]').waitFor();
  await tabTo(page, '[data-action="place-order"]');
  // Another device changes the cart: what is looked over is drawn anew, with the focus where it was.
  await page.request.put(`/api/goods/${tea.goodsId}/cart`, { data: { quantity: 2 }, headers: { Authorization: `Bearer ${reader.token}` } });
  await press('Space');
  await page.locator('.form-error', { hasText: 'Your cart has changed' }).waitFor();
  await hasFocus(page, '[data-action="place-order"]');
  await press('Space');
  await page.locator('[data-role="order-done"]').waitFor();
  await hasFocus(page, 'h1');
  await toasts(page).filter({ hasText: 'Your order' }).waitFor();

  // The alerts, and back to the bell.
  await tabTo(page, '[data-action="open-news"]', 'Shift+Tab');
  await press('Enter');
  await page.locator('.news-item', { hasText: 'Test tea' }).waitFor();
  await hasFocus(page, '.news-title');
  await tabTo(page, '#news-toasts');
  await tabTo(page, '.news-item a');
  await press('Escape');
  await page.locator('.news-list').waitFor({ state: 'detached' });
  await hasFocus(page, '[data-action="open-news"]');

  // To what another's order has brought, and back.
  await order(shop, buyer, tea);
  const toast = toasts(page).filter({ hasText: 'rival' });
  await toast.waitFor();
  await press('F8');
  await tabTo(page, `[data-id="${await toast.getAttribute('data-id')}"] button`);
  await press('Enter');
  await toast.waitFor({ state: 'detached' });
  await press('Escape');
  await hasFocus(page, '[data-action="open-news"]');
});
