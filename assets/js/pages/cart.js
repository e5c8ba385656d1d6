// @ts-check
/**
 * `/cart.html`: lines with quantities, remove, total.
 * Not for: placing the order (order.js).
 */

import { api, MAX_QUANTITY } from '../api.js';
import { forgetCheckoutKey } from '../checkout-key.js';
import { el, show } from '../dom.js';
import { t, tn } from '../i18n.js';
import { icon } from '../icons.js';
import { loginRequired, membersOnly } from '../login-required.js';
import { formatPrice, total } from '../money.js';
import { picture } from '../picture.js';
import { onGoods } from '../realtime.js';
import { session } from '../session.js';
import { startPage } from '../shell.js';
import { emptyState, errorMessage, errorState, linkButton, notice } from '../states.js';
import { stockLevel, stockLine } from '../stock.js';

/**
 * @import { Goods, Line } from '../api.js'
 * @import { QuantityStepper } from '../elements/quantity-stepper.js'
 */

startPage(t('cart.title'));
const list = el('ul', { class: 'lines', role: 'list' });
const summary = el('aside', { class: 'card summary', 'aria-labelledby': 'summary' });
const problem = el('p', { class: 'form-error', role: 'alert' });
load();

async function load() {
  if (!(await membersOnly())) return;
  try {
    await session.refreshCart({ changed: false });
  } catch (error) {
    if (!loginRequired(error)) show(errorState(error, load));
    return;
  }
  draw();
  session.addEventListener('cart', draw);
  onGoods(({ goods }) => {
    if (session.cart?.some((line) => line.goods.goodsId === goods.goodsId)) session.refreshCart({ changed: false }).catch(() => { /* the next change tries again */ });
  });
}

function draw() {
  const lines = session.cart ?? [];
  if (lines.length === 0) {
    show(el('h1', { tabindex: -1 }, t('cart.title')), emptyState({
      icon: 'bag', title: t('cart.empty.title'), text: t('cart.empty.text'), action: linkButton('/goods.html', t('cart.browse')),
    }));
    return;
  }
  keepFocus(() => list.replaceChildren(...lines.map(row)));
  drawSummary(lines);
  if (!list.isConnected) {
    show(el('h1', { tabindex: -1 }, t('cart.title')), problem, el('div', { class: 'with-aside' }, list, summary));
  }
}

/** @param {Line} line */
function row({ goods, quantity }) {
  const href = `/detail.html?goodsId=${goods.goodsId}`;
  const stepper = /** @type {QuantityStepper} */ (el('quantity-stepper', {
    value: quantity, max: goods.stock === null ? MAX_QUANTITY : Math.max(goods.stock, quantity, 1),
    label: `${t('detail.quantity')}: ${goods.name}`, on: { change: () => change(goods, stepper.value) },
  }));
  return el('li', { class: 'line card', data: { goodsId: goods.goodsId } },
    el('a', { class: 'line-picture', href, tabindex: -1, aria: { hidden: 'true' } }, picture(goods, { eager: true })),
    el('div', { class: 'line-text' },
      el('h2', { class: 'line-name' }, el('a', { href }, goods.name)),
      el('p', { class: 'line-each' }, t('cart.each', { price: formatPrice(goods.price, goods.currency) })),
      stockWarning(goods.stock, quantity)),
    el('div', { class: 'line-tools' }, stepper,
      el('button', {
        type: 'button', class: 'icon-button', data: { action: 'remove-from-cart' },
        aria: { label: t('cart.remove', { name: goods.name }) }, on: { click: () => remove(goods) },
      }, icon('trash'))),
    el('p', { class: 'line-sum price' }, formatPrice(total([{ price: goods.price, quantity }], goods.currency), goods.currency)));
}

/**
 * Only what may keep the reader from ordering.
 * @param {number | null} stock
 * @param {number} quantity
 */
function stockWarning(stock, quantity) {
  const level = stockLevel(stock);
  if (stock !== null && level !== 'none' && quantity > stock) return el('p', { class: 'stock stock-none' }, t('cart.too-many', { count: stock }));
  return level === 'low' || level === 'none' ? stockLine(stock) : null;
}

/** @param {Line[]} lines */
function drawSummary(lines) {
  const { currency } = lines[0].goods;
  const sum = total(lines.map(({ goods, quantity }) => ({ price: goods.price, quantity })), currency);
  summary.replaceChildren(
    el('h2', { id: 'summary' }, t('cart.summary')),
    el('dl', { class: 'sums' },
      el('div', {}, el('dt', {}, t('cart.goods')), el('dd', {}, tn('cart.pieces', session.cartCount))),
      el('div', { class: 'sums-total' }, el('dt', {}, t('cart.total')),
        el('dd', { data: { role: 'cart-total' } }, formatPrice(sum, currency)))),
    el('a', { class: 'button button-primary button-wide', href: '/order.html', data: { action: 'check-out' } }, t('cart.checkout')));
}

/**
 * @param {Goods} goods
 * @param {number} quantity
 */
async function change(goods, quantity) {
  await changeCart(() => api.setInCart(goods.goodsId, quantity));
}

/** @param {Goods} goods */
async function remove(goods) {
  await changeCart(() => api.removeFromCart(goods.goodsId));
  notice(t('cart.removed', { name: goods.name }));
  /** @type {HTMLElement | null} */ (document.querySelector('main h1'))?.focus();
}

/**
 * Runs a request that changes the cart, and draws what became of it.
 * @param {() => Promise<void>} request
 */
async function changeCart(request) {
  problem.textContent = '';
  forgetCheckoutKey();
  try {
    await request();
  } catch (error) {
    if (loginRequired(error)) return;
    problem.textContent = errorMessage(error);
  }
  await session.refreshCart().catch(() => { /* the lines stay as they were drawn */ });
}

/**
 * Redraws the list, and puts the focus on the same control of the same line.
 * @param {() => void} redraw
 */
function keepFocus(redraw) {
  const active = document.activeElement;
  const line = /** @type {HTMLElement | null} */ (active?.closest('.line') ?? null);
  const index = controls(line).findIndex((control) => control === active);
  redraw();
  if (line && index >= 0) controls(list.querySelector(`[data-goods-id="${line.dataset.goodsId}"]`))[index]?.focus();
}

/**
 * @param {Element | null} line
 * @returns {HTMLElement[]}
 */
function controls(line) {
  return line ? [.../** @type {NodeListOf<HTMLElement>} */ (line.querySelectorAll('button, input, a'))] : [];
}
