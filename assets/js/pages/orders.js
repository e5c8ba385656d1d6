// @ts-check
/**
 * `/orders.html`: the reader's orders, newest first, as they are now, whichever device changes them; cancel.
 * Not for: other people's orders, which the server doesn't show.
 */

import { api, ApiError } from '../api.js';
import { el, show } from '../dom.js';
import { formatDateTime } from '../format.js';
import { t } from '../i18n.js';
import { loginRequired, membersOnly } from '../login-required.js';
import { formatPrice } from '../money.js';
import { realtime } from '../realtime.js';
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
  await load(true);
  // Not those of this page alone: another tab or device places and cancels, too.
  realtime.addEventListener('ORDER', (event) => follow(Number(/** @type {CustomEvent} */ (event).detail?.orderId)));
  realtime.addEventListener('hello', refresh);
}

/**
 * An order was placed or canceled somewhere.
 * @param {number} orderId NaN in what this browser tells itself (tellOwn)
 */
async function follow(orderId) {
  if (!Number.isInteger(orderId)) return;
  try { place(await api.order(orderId)); } catch { /* the next log-in, event or reload shows it */ }
}

/** After a connection was lost: what happened meanwhile is not told again. */
async function refresh() {
  try {
    const { orders } = await api.orders({ limit: PAGE_SIZE, cursor: null });
    orders.reverse().forEach(place);
  } catch { /* as above */ }
}

/**
 * Shows an order as it is now, in its place or as the newest.
 * @param {Order} order
 */
function place(order) {
  const shown = /** @type {HTMLElement | null} */ (list.querySelector(`[data-order-id="${Number(order.orderId)}"]`));
  if (shown) {
    if (shown.dataset.status !== order.status) replace(shown, order, shown.contains(document.activeElement));
    return;
  }
  const newest = Number(/** @type {HTMLElement | null} */ (list.firstElementChild)?.dataset.orderId ?? 0);
  // An older one is on a page that was not read yet.
  if (order.orderId < newest) return;
  const made = card(order);
  made.classList.add('is-new');
  list.prepend(made);
  if (cursor === null) below.replaceChildren();
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
      const canceled = await cancel(order.orderId);
      dialog.close();
      // The event may have been quicker.
      replace(shown.isConnected ? shown : /** @type {HTMLElement} */ (list.querySelector(`[data-order-id="${order.orderId}"]`)), canceled, true);
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
 * @param {boolean} focus whether the reader was there
 */
function replace(shown, order, focus) {
  const updated = card(order);
  shown.replaceWith(updated);
  if (!focus) return updated.classList.add('is-new');
  const heading = updated.querySelector('h2');
  heading?.setAttribute('tabindex', '-1');
  heading?.focus();
}
