// @ts-check
/**
 * `/orders.html`: the reader's orders, newest first; cancel.
 * Not for: other people's orders, which the server doesn't show.
 */

import { api, ApiError } from '../api.js';
import { el, show } from '../dom.js';
import { formatDateTime } from '../format.js';
import { t } from '../i18n.js';
import { loginRequired, membersOnly } from '../login-required.js';
import { formatPrice } from '../money.js';
import { startPage } from '../shell.js';
import { emptyState, errorMessage, errorState, linkButton, notice } from '../states.js';

/** @import { Cursor, Order } from '../api.js' */

const PAGE_SIZE = 10;

startPage(t('orders.title'));
const list = el('ol', { class: 'orders', role: 'list' });
const below = el('div', { class: 'goods-below' });
/** Where the next page begins; null: there is none. @type {Cursor | null} */
let cursor = null;
start();

async function start() {
  if (!(await membersOnly())) return;
  show(el('h1', {}, t('orders.title')), list, below);
  list.replaceChildren(...Array.from({ length: 3 }, () => el('li', { class: 'card order skeleton-order skeleton', aria: { hidden: 'true' } })));
  load(true);
}

async function load(first = false) {
  below.replaceChildren();
  try {
    const answer = await api.orders({ limit: PAGE_SIZE, cursor });
    if (first) list.replaceChildren();
    list.append(...answer.orders.map(card));
    cursor = answer.nextCursor ?? null;
  } catch (error) {
    if (loginRequired(error)) return;
    if (first) list.replaceChildren();
    below.replaceChildren(errorState(error, () => load(first)));
    return;
  }
  if (cursor !== null) {
    below.replaceChildren(el('button', { type: 'button', class: 'button button-quiet', data: { action: 'more-orders' }, on: { click: () => load() } }, t('orders.more')));
  } else if (list.childElementCount === 0) {
    below.replaceChildren(emptyState({ title: t('orders.empty.title'), text: t('orders.empty.text'), action: linkButton('/goods.html', t('cart.browse')) }));
  }
}

/** @param {Order} order */
function card(order) {
  const made = el('li', { class: 'card order', data: { orderId: order.orderId, status: order.status } },
    el('div', { class: 'order-head' },
      el('h2', {}, t('orders.number', { orderId: order.orderId })),
      el('span', { class: `status status-${order.status}`, data: { role: 'order-status' } }, t(`orders.status.${order.status}`)),
      el('time', { datetime: order.createdAt }, formatDateTime(order.createdAt))),
    el('ul', { class: 'order-items', role: 'list' }, ...order.items.map((item) => el('li', {},
      el('a', { href: `/detail.html?goodsId=${item.goodsId}` }, item.name),
      el('span', { class: 'line-each' }, t('orders.pieces', { quantity: item.quantity, price: formatPrice(item.price, order.currency) }))))),
    el('div', { class: 'order-foot' },
      el('p', { class: 'price' }, formatPrice(order.total, order.currency)),
      order.status === 'placed' ? el('button', {
        type: 'button', class: 'button button-danger', data: { action: 'cancel-order' },
        aria: { label: `${t('orders.cancel')}: ${t('orders.number', { orderId: order.orderId })}` },
        on: { click: () => confirmCancel(order, made) },
      }, t('orders.cancel')) : null));
  return made;
}

/**
 * @param {Order} order
 * @param {HTMLElement} shown its card
 */
function confirmCancel(order, shown) {
  const problem = el('p', { class: 'form-error', role: 'alert' });
  const yes = el('button', { type: 'button', class: 'button button-danger-solid', data: { action: 'confirm-cancel' } }, t('orders.cancel.yes'));
  const no = el('button', { type: 'button', class: 'button button-quiet', autofocus: true, on: { click: () => dialog.close() } }, t('orders.cancel.no'));
  const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': 'cancel-title' },
    el('h2', { id: 'cancel-title' }, t('orders.cancel.title', { orderId: order.orderId })),
    el('p', {}, t('orders.cancel.text')), problem, el('div', { class: 'buttons' }, no, yes));
  yes.addEventListener('click', async () => {
    if (yes.getAttribute('aria-disabled') === 'true') return;
    yes.setAttribute('aria-disabled', 'true');
    try {
      replace(shown, await cancel(order.orderId));
      dialog.close();
      notice(t('orders.canceled', { orderId: order.orderId }));
    } catch (error) {
      if (!loginRequired(error)) problem.textContent = errorMessage(error);
    } finally {
      yes.removeAttribute('aria-disabled');
    }
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * Canceled already, in another tab, counts as success.
 * @param {number} orderId
 */
async function cancel(orderId) {
  try {
    return await api.cancelOrder(orderId);
  } catch (error) {
    if (error instanceof ApiError && error.code === 'already_canceled') return api.order(orderId);
    throw error;
  }
}

/**
 * @param {HTMLElement} shown
 * @param {Order} order as it is now
 */
function replace(shown, order) {
  const updated = card(order);
  shown.replaceWith(updated);
  const heading = updated.querySelector('h2');
  heading?.setAttribute('tabindex', '-1');
  heading?.focus();
}
