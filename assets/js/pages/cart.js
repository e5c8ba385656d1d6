/**
 * `/cart.html`: lines with quantities, remove, total.
 * Not for: placing the order (order.js).
 */

import { api } from '../api.js';
import { forgetAttempt } from '../attempt.js';
import { goneFromCart, toldOfGone } from '../cart-memory.js';
import { el, show } from '../dom.js';
import { t, tn } from '../i18n.js';
import { icon } from '../icons.js';
import { money, total } from '../money.js';
import { picture } from '../picture.js';
import { onGoods } from '../realtime.js';
import { session } from '../session.js';
import { startPage } from '../shell.js';
import { emptyState, errorState, linkButton, membersOnly, messageOf, notice, sentToLogIn } from '../states.js';
import { stockLevel, stockLine } from '../stock.js';

startPage(t('cart.title'));
const list = el('ul', { class: 'lines', role: 'list' });
const summary = el('aside', { class: 'card summary', 'aria-labelledby': 'summary' });
const problem = el('p', { class: 'form-error', role: 'alert' });
const gone = el('div', { class: 'gone', role: 'status', data: { role: 'gone-from-cart' }, hidden: true });
load();

async function load() {
  if (!(await membersOnly())) return;
  try {
    await session.refreshCart({ tell: false });
  } catch (error) {
    if (!sentToLogIn(error)) show(errorState(error, load));
    return;
  }
  draw();
  session.addEventListener('cart', draw);
  onGoods(({ goods }) => {
    if (session.cart?.some((line) => line.goods.goodsId === goods.goodsId)) session.refreshCart({ tell: false }).catch(() => {});
  });
}

function draw() {
  const lines = session.cart ?? [];
  drawGone();
  if (lines.length === 0) {
    return show(el('h1', { tabindex: -1 }, t('cart.title')), gone, emptyState({
      icon: 'bag', title: t('cart.empty.title'), text: t('cart.empty.text'), action: linkButton('/goods.html', t('cart.browse')),
    }));
  }
  keepFocus(() => list.replaceChildren(...lines.map(row)));
  drawSummary(lines);
  if (!list.isConnected) {
    show(el('h1', { tabindex: -1 }, t('cart.title')), problem, gone, el('div', { class: 'with-aside' }, list, summary));
  }
}

/** What the shop no longer sells stays named until it was read. */
function drawGone() {
  const lines = session.user ? goneFromCart(session.user.userId) : [];
  gone.hidden = lines.length === 0;
  if (String(lines.map(({ goodsId }) => goodsId)) === gone.dataset.ids) return;
  gone.dataset.ids = String(lines.map(({ goodsId }) => goodsId));
  gone.replaceChildren(
    el('ul', { role: 'list' }, ...lines.map(({ name }) => el('li', {}, t('cart.gone', { name })))),
    el('button', { type: 'button', class: 'button button-quiet', data: { action: 'gone-read' }, on: { click: readGone } }, t('cart.gone.read')));
}

function readGone() {
  if (session.user) toldOfGone(session.user.userId);
  drawGone();
  /** @type {HTMLElement | null} */ (document.querySelector('main h1'))?.focus();
}

function row(line) {
  const { goods, quantity } = line;
  const href = `/detail.html?goodsId=${goods.goodsId}`;
  const stepper = /** @type {any} */ (el('quantity-stepper', {
    value: quantity, max: goods.stock === null ? 999 : Math.max(goods.stock, quantity, 1),
    label: `${t('detail.quantity')}: ${goods.name}`, on: { change: () => change(goods, stepper.value) },
  }));
  const short = goods.stock !== null && quantity > goods.stock;
  return el('li', { class: 'line card', data: { goodsId: goods.goodsId } },
    el('a', { class: 'line-picture', href, tabindex: -1, aria: { hidden: 'true' } }, picture(goods, { eager: true })),
    el('div', { class: 'line-text' },
      el('h2', { class: 'line-name' }, el('a', { href }, goods.name)),
      el('p', { class: 'line-each' }, t('cart.each', { price: money(goods.price, goods.currency) })),
      short && stockLevel(goods.stock) !== 'none' ? el('p', { class: 'stock stock-none' }, t('cart.too-many', { count: goods.stock }))
        : ['few', 'none'].includes(stockLevel(goods.stock)) ? stockLine(goods.stock) : null),
    el('div', { class: 'line-tools' }, stepper,
      el('button', {
        type: 'button', class: 'icon-button', data: { action: 'remove-from-cart' },
        aria: { label: t('cart.remove', { name: goods.name }) }, on: { click: () => remove(goods) },
      }, icon('trash'))),
    el('p', { class: 'line-sum price' }, money(total([{ price: goods.price, quantity }], goods.currency), goods.currency)));
}

function drawSummary(lines) {
  const { currency } = lines[0].goods;
  const sum = total(lines.map(({ goods, quantity }) => ({ price: goods.price, quantity })), currency);
  summary.replaceChildren(
    el('h2', { id: 'summary' }, t('cart.summary')),
    el('dl', { class: 'sums' },
      el('div', {}, el('dt', {}, t('cart.goods')), el('dd', {}, tn('cart.pieces', session.cartCount))),
      el('div', { class: 'sums-total' }, el('dt', {}, t('cart.total')),
        el('dd', { data: { role: 'cart-total' } }, money(sum, currency)))),
    el('a', { class: 'button button-primary button-wide', href: '/order.html', data: { action: 'check-out' } }, t('cart.checkout')));
}

async function change(goods, quantity) {
  await attempt(() => api.setInCart(goods.goodsId, quantity));
}

async function remove(goods) {
  await attempt(() => session.removeFromCart(goods.goodsId));
  notice(t('cart.removed', { name: goods.name }));
  /** @type {HTMLElement | null} */ (document.querySelector('main h1'))?.focus();
}

async function attempt(work) {
  problem.textContent = '';
  forgetAttempt();
  try {
    await work();
  } catch (error) {
    if (sentToLogIn(error)) return;
    problem.textContent = messageOf(error);
  }
  await session.refreshCart().catch(() => {});
}

/** A redrawn list keeps the focus on the same control of the same line. */
function keepFocus(redraw) {
  const active = document.activeElement;
  const line = /** @type {HTMLElement | null} */ (active?.closest('.line') ?? null);
  const id = line?.dataset.goodsId;
  const controls = (of) => [...(of?.querySelectorAll('button, input, a') ?? [])];
  const index = controls(line).indexOf(active);
  redraw();
  if (id && index >= 0) controls(list.querySelector(`[data-goods-id="${id}"]`))[index]?.focus();
}
