// @ts-check
/**
 * `/cart.html`: lines with quantities, remove, total; the member's cart, or the guest's, which this browser keeps.
 * Not for: placing the order (order.js).
 */

import { MAX_QUANTITY } from '../api.js';
import { forgetNotes, notesOf } from '../cart-memory.js';
import { el, show } from '../dom.js';
import { QuantityStepper } from '../elements/quantity-stepper.js';
import { t, tn } from '../i18n.js';
import { icon } from '../icons.js';
import { guestLines } from '../guest-cart.js';
import { loginRequired } from '../login-required.js';
import { formatPrice, total } from '../money.js';
import { picture } from '../picture.js';
import { session } from '../session.js';
import { startPage } from '../shell.js';
import { emptyState, errorMessage, errorState, linkButton, notice } from '../states.js';
import { stockLevel, stockLine } from '../stock.js';

/**
 * @import { Goods, Line } from '../api.js'
 * @import { Note } from '../cart-memory.js'
 */

startPage(t('cart.title'));
customElements.define('quantity-stepper', QuantityStepper);
const list = el('ul', { class: 'lines', role: 'list' });
const summary = el('aside', { class: 'card summary', 'aria-labelledby': 'summary' });
const problem = el('p', { class: 'form-error', role: 'alert' });
const told = el('div', { class: 'told', role: 'status', data: { role: 'gone-from-cart' }, hidden: true });
/** Whose cart is drawn. */
let owner = session.cartOwner;
load();
session.addEventListener('cart', () => { if (session.cart && owner === session.cartOwner) draw(); });
session.addEventListener('user', () => { if (session.known && owner !== session.cartOwner) load(); });

async function load() {
  await session.ready;
  owner = session.cartOwner;
  try {
    await session.refreshCart({ changed: false });
  } catch (error) {
    if (!loginRequired(error)) show(errorState(error, load));
    return;
  }
  draw();
}

function draw() {
  const lines = session.cart ?? [];
  drawTold();
  if (lines.length === 0) {
    show(el('h1', { tabindex: -1 }, t('cart.title')), told, emptyState({
      icon: 'bag', title: t('cart.empty.title'), text: t('cart.empty.text'), action: linkButton('/goods.html', t('cart.browse')),
    }));
    return;
  }
  keepFocus(() => list.replaceChildren(...lines.map(row)));
  drawSummary(lines);
  if (!list.isConnected) {
    show(el('h1', { tabindex: -1 }, t('cart.title')), problem, told, el('div', { class: 'with-aside' }, list, summary));
  }
}

/** What came into the cart at the log-in, and what left it because the shop does not sell it any more, until the reader has read it. */
function drawTold() {
  const waiting = session.user ? guestLines() : [];
  const sentences = [...notesOf(owner).map(sentence), ...waiting.map(({ name }) => t('cart.waits', { name }))];
  const text = sentences.join('\n');
  told.classList.toggle('is-good', waiting.length === 0 && notesOf(owner).every(({ kind }) => kind === 'added'));
  told.hidden = sentences.length === 0;
  // Drawn again only when it changed: a screen reader would say it again.
  if (told.dataset.text === text) return;
  told.dataset.text = text;
  told.replaceChildren(
    el('ul', { role: 'list' }, ...sentences.map((one) => el('li', {}, one))),
    el('button', { type: 'button', class: 'button button-quiet', data: { action: 'gone-read' }, on: { click: hideTold } }, t('cart.gone.read')));
}

/** @param {Note} note */
function sentence({ kind, name, quantity = 1 }) {
  if (kind === 'added') return t('cart.added', { name, quantity });
  return t(kind === 'capped' ? 'cart.capped' : 'cart.gone', { name });
}

function hideTold() {
  forgetNotes(owner);
  drawTold();
  /** @type {HTMLElement | null} */ (document.querySelector('main h1'))?.focus();
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
    el('a', { class: 'button button-primary button-wide', href: '/order.html', data: { action: 'check-out' } }, t('cart.checkout')),
    session.user ? '' : el('p', { class: 'summary-note' }, t('cart.guest'), ' ', el('a', { href: '/login.html?next=%2Fcart.html' }, t('nav.login'))));
}

/**
 * @param {Goods} goods
 * @param {number} quantity
 */
function change(goods, quantity) {
  return changeCart(() => session.setInCart(goods, quantity));
}

/** @param {Goods} goods */
async function remove(goods) {
  if (!(await changeCart(() => session.removeFromCart(goods.goodsId)))) return;
  notice(t('cart.removed', { name: goods.name }));
  /** @type {HTMLElement | null} */ (document.querySelector('main h1'))?.focus();
}

/**
 * Runs a request that changes the cart, and draws what became of it.
 * @param {() => Promise<void>} request
 * @returns {Promise<boolean>} whether it was carried out
 */
async function changeCart(request) {
  problem.textContent = '';
  try {
    await request();
    return true;
  } catch (error) {
    if (loginRequired(error)) return false;
    problem.textContent = errorMessage(error);
  }
  // What the server has: a stepper may stand at what was refused.
  await session.refreshCart().catch(() => { /* the lines stay as they were drawn */ });
  draw();
  return false;
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
