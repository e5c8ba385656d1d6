// @ts-check
/**
 * `/order.html`: look over and place an order: the cart, or `?goodsId=&quantity=` alone.
 * Not for: past orders (orders.js). The server's prices and stock decide.
 */

import { api, ApiError, MAX_QUANTITY } from '../api.js';
import { checkoutKey, forgetCheckoutKey } from '../checkout-key.js';
import { el, show } from '../dom.js';
import { t } from '../i18n.js';
import { loginRequired, membersOnly } from '../login-required.js';
import { formatPrice, total } from '../money.js';
import { picture } from '../picture.js';
import { parseQuantity } from '../quantity.js';
import { tellOwn } from '../realtime.js';
import { session } from '../session.js';
import { startPage } from '../shell.js';
import { emptyState, errorMessage, errorState, linkButton } from '../states.js';

/** @import { Line, Order } from '../api.js' */

startPage(t('order.title'));
const params = new URLSearchParams(location.search);
const single = params.has('goodsId');
const problem = el('div', { class: 'form-error', role: 'alert' });
/** What the reader sees. @type {Line[]} */
let lines = [];
start();

async function start() {
  if (!(await membersOnly())) return;
  try {
    lines = await read();
  } catch (error) {
    if (loginRequired(error)) return;
    show(error instanceof ApiError && error.status === 404 ? nothing() : errorState(error, start));
    return;
  }
  draw();
}

/**
 * What would be ordered right now.
 * @returns {Promise<Line[]>}
 */
async function read() {
  if (!single) return session.refreshCart({ changed: false });
  const quantity = Math.max(1, Math.min(MAX_QUANTITY, parseQuantity(params.get('quantity') ?? '') ?? 1));
  return [{ goods: await api.goods(Number(params.get('goodsId'))), quantity }];
}

/**
 * Two reviews with the same fingerprint are the same checkout.
 * @param {Line[]} reviewed
 */
const fingerprint = (reviewed) => JSON.stringify([single, ...reviewed.map(({ goods, quantity }) => [goods.goodsId, quantity, goods.price])]);

function draw() {
  if (lines.length === 0) {
    forgetCheckoutKey();
    show(nothing());
    return;
  }
  const { currency } = lines[0].goods;
  const sum = total(lines.map(({ goods, quantity }) => ({ price: goods.price, quantity })), currency);
  const place = el('button', { type: 'button', class: 'button button-primary button-wide', data: { action: 'place-order' }, on: { click: () => submit(place) } }, t('order.place'));
  show(
    el('h1', {}, t('order.title')),
    el('div', { class: 'with-aside' },
      el('section', { class: 'card', 'aria-labelledby': 'review' },
        el('h2', { id: 'review' }, t('order.review')),
        el('ul', { class: 'review', role: 'list' }, ...lines.map(reviewLine)),
        single ? null : el('p', {}, el('a', { href: '/cart.html' }, t('order.edit')))),
      el('aside', { class: 'card summary' },
        el('h2', {}, t('order.for', { nickname: session.user?.nickname ?? '' })),
        el('dl', { class: 'sums' }, el('div', { class: 'sums-total' }, el('dt', {}, t('cart.total')), el('dd', { data: { role: 'order-total' } }, formatPrice(sum, currency)))),
        problem, place,
        el('p', { class: 'summary-note' }, session.user?.hidePurchases ? t('order.alert.hidden')
          : t('order.alert.public', { nickname: session.user?.nickname ?? '' })))));
}

/** @param {Line} line */
function reviewLine({ goods, quantity }) {
  return el('li', { class: 'review-line', data: { goodsId: goods.goodsId } },
    el('span', { class: 'review-picture' }, picture(goods, { eager: true })),
    el('span', { class: 'review-name' }, goods.name,
      el('span', { class: 'line-each' }, t('orders.pieces', { quantity, price: formatPrice(goods.price, goods.currency) }))),
    el('span', { class: 'price' }, formatPrice(total([{ price: goods.price, quantity }], goods.currency), goods.currency)));
}

/** @param {HTMLButtonElement} button */
async function submit(button) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  button.textContent = t('order.placing');
  problem.replaceChildren();
  try {
    if (await changedMeanwhile()) return;
    const items = lines.map(({ goods, quantity }) => ({ goodsId: goods.goodsId, quantity }));
    const { order, id } = await api.placeOrder(single ? { items } : { fromCart: true }, checkoutKey(fingerprint(lines)));
    forgetCheckoutKey();
    tellOwn(id);
    if (!single) session.cartOrdered();
    showPlaced(order);
    session.refreshCart().catch(() => { /* the next page reads it */ });
  } catch (error) {
    showRefusal(error);
  } finally {
    button.removeAttribute('aria-disabled');
    button.textContent = t('order.place');
  }
}

/** Another tab may have changed the cart since it was drawn. Then it is drawn again, and not ordered. */
async function changedMeanwhile() {
  const now = await read();
  // Empty after a lost answer: the order may have been placed, and the same key tells.
  if (fingerprint(now) === fingerprint(lines) || now.length === 0) return false;
  lines = now;
  draw();
  problem.textContent = t('order.changed');
  // The one that had the focus is gone.
  /** @type {HTMLElement | null} */ (document.querySelector('[data-action="place-order"]'))?.focus();
  return true;
}

/** @param {unknown} error */
function showRefusal(error) {
  if (loginRequired(error)) return;
  // Without an answer the key stays, so that trying again cannot order twice. A refusal ends the checkout.
  const unsure = error instanceof ApiError && (error.status === 0 || error.status >= 500);
  if (!unsure) forgetCheckoutKey();
  problem.replaceChildren(el('p', {}, errorMessage(error)));
  if (unsure) problem.append(el('p', {}, t('order.retry')));
  if (error instanceof ApiError && error.code === 'out_of_stock') markOutOfStock(error);
}

/** @param {ApiError} error */
function markOutOfStock(error) {
  const goodsId = Number(error.problem.goodsId ?? error.problem.goods?.goodsId);
  document.querySelector(`.review-line[data-goods-id="${goodsId}"]`)?.classList.add('is-short');
  const name = lines.find(({ goods }) => goods.goodsId === goodsId)?.goods.name;
  if (name && !error.message.includes(name)) problem.prepend(el('strong', {}, name));
  if (!single) problem.append(el('a', { href: '/cart.html' }, t('order.edit')));
}

/** @param {Order} order */
function showPlaced(order) {
  const items = order.items.map((item) => el('li', {}, `${item.name} × ${item.quantity}`));
  show(el('div', { class: 'state done', data: { role: 'order-done', orderId: order.orderId } },
    el('img', { src: '/images/done.svg', alt: '', width: 160, height: 160 }),
    el('h1', { tabindex: -1, data: { focus: '' } }, t('order.done.title', { nickname: session.user?.nickname ?? '' })),
    el('p', {}, t('order.done.text', { orderId: order.orderId })),
    el('ul', { class: 'done-items', role: 'list' }, ...items),
    el('p', { class: 'price price-large' }, formatPrice(order.total, order.currency)),
    el('div', { class: 'buttons' }, linkButton('/orders.html', t('order.done.orders')), linkButton('/', t('order.done.more'), 'quiet'))));
  scrollTo(0, 0);
}

function nothing() {
  return emptyState({ icon: 'bag', title: t('order.nothing.title'), text: t('order.nothing.text'), action: linkButton('/goods.html', t('cart.browse')), level: 'h1' });
}
