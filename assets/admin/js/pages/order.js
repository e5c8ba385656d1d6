// @ts-check
/**
 * `/admin/order?orderId=`: one order, what happened to it, why the bell rang or did not, and its cancellation.
 * Not for: the list (orders.js).
 *
 * @import { AdminOrder } from '../api.js'
 */

import { ApiError } from '../../../js/api.js';
import { el, show } from '../../../js/dom.js';
import { formatDateTime } from '../../../js/format.js';
import { loginRequired } from '../../../js/login-required.js';
import { formatPrice } from '../../../js/money.js';
import { realtime } from '../../../js/realtime.js';
import { errorState, notice } from '../../../js/states.js';
import { admin } from '../api.js';
import { ask } from '../dialogs.js';
import { unavailable } from '../list.js';
import { bellBadge, bellSentence, buyerName, orderName, statusBadge } from '../order-words.js';
import { facts, linkTo, pageHead, panel, workButton } from '../pieces.js';
import { startPage } from '../shell.js';
import { timeTag } from '../time.js';
import { has, t } from '../i18n.js';

const orderId = new URLSearchParams(location.search).get('orderId') ?? '';

/** @type {AdminOrder | null} */
let shown = null;

if (await startPage('orders', t('order.title', { number: `#${orderId}` }))) {
  await read();
  // Its cancellation elsewhere shows here, too.
  realtime.addEventListener('BUY_CANCELED', (event) => {
    const { canceled } = /** @type {CustomEvent} */ (event).detail ?? {};
    // Which alert was this order's is not known when the log no longer has it.
    if (shown?.announced && [null, canceled].includes(shown.notificationId)) read();
  });
  realtime.open();
}

async function read() {
  try {
    shown = await admin.order(orderId);
    draw(shown);
  } catch (error) {
    if (!loginRequired(error)) show(unavailable(error, 'h1') ?? errorState(error, read));
  }
}

/** @param {AdminOrder} order */
function draw(order) {
  show(
    pageHead({
      title: t('order.title', { number: orderName(order) }), back: ['/admin/orders', t('nav.orders')],
      beside: [statusBadge(order.status), bellBadge(order)],
      actions: order.status === 'placed' ? [workButton(t('order.cancel'), async () => askCancel(order), { kind: 'danger', action: 'cancel-order' })] : [],
    }),
    el('div', { class: 'columns' },
      el('div', {}, items(order), bell(order)),
      el('div', {},
        panel(t('order.about'), facts([
          [t('orders.buyer'), order.buyer ? el('a', { href: `/admin/people?q=${encodeURIComponent(order.buyer.nickname)}` }, order.buyer.nickname) : buyerName(order)],
          [t('orders.source'), order.source ? el('a', { href: `/admin/source?sourceId=${order.source.sourceId}` }, order.source.name) : t('orders.own')],
          [t('order.number-there'), order.number],
          [t('order.number-here'), `#${order.orderId}`],
          [t('order.placed-at'), formatDateTime(order.orderedAt ?? order.createdAt)],
          [t('order.received-at'), order.source ? formatDateTime(order.createdAt) : ''],
          [t('order.canceled-at'), order.canceledAt ? formatDateTime(order.canceledAt) : ''],
        ])),
        panel(t('order.history'), history(order)))));
}

/** @param {AdminOrder} order */
function items(order) {
  return el('section', { class: 'list', 'aria-label': t('orders.goods') }, el('table', { role: 'table' },
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' },
      el('th', { role: 'columnheader', scope: 'col' }, t('orders.goods')), el('th', { role: 'columnheader', scope: 'col', class: 'num' }, t('order.quantity')),
      el('th', { role: 'columnheader', scope: 'col', class: 'num' }, t('order.price')))),
    el('tbody', { role: 'rowgroup' },
      ...order.items.map((item) => el('tr', { role: 'row' },
        el('td', { role: 'cell', class: 'what' }, el('a', { href: `/admin/goods-edit?goodsId=${item.goodsId}` }, item.name)),
        el('td', { role: 'cell', class: 'num', data: { label: t('order.quantity') } }, `× ${item.quantity}`),
        el('td', { role: 'cell', class: 'num corner', data: { label: t('order.price') } }, formatPrice(item.price, order.currency)))),
      el('tr', { role: 'row' }, el('td', { role: 'cell', class: 'what' }, el('strong', {}, t('orders.total'))), el('td', { role: 'cell' }),
        el('td', { role: 'cell', class: 'num corner' }, el('strong', { data: { role: 'order-total' } }, formatPrice(order.total, order.currency)))))));
}

/** @param {AdminOrder} order */
function bell(order) {
  return panel(t('order.bell'),
    el('p', { data: { role: 'bell-reason' } }, bellSentence(order)),
    order.notificationId !== null && order.announced ? el('p', { class: 'note' }, t('order.offset', { id: order.notificationId })) : null,
    !order.announced && order.source ? el('div', {}, linkTo(`/admin/source?sourceId=${order.source.sourceId}`, t('order.receipts'), { kind: 'quiet button-small' })) : null);
}

/** @param {AdminOrder} order */
function history(order) {
  const told = order.history?.length ? order.history : [
    { status: 'placed', date: order.createdAt }, ...order.canceledAt ? [{ status: 'canceled', date: order.canceledAt }] : []];
  return el('ol', { class: 'timeline', role: 'list' }, ...told.map(({ status, date }) => el('li', { class: status === 'canceled' ? 'is-bad' : null },
    el('div', {}, has(`order.status.${status}`) ? t(`order.status.${status}`) : status, el('span', { class: 'sub' }, timeTag(date))))));
}

/** @param {AdminOrder} order */
function askCancel(order) {
  ask({
    title: t('order.cancel.title', { number: orderName(order) }), danger: true, yes: t('order.cancel'),
    text: t(order.announced ? 'order.cancel.text' : 'order.cancel.text.silent'),
    work: async () => {
      await admin.cancelOrder(order.orderId).catch((error) => {
        // By someone else, meanwhile: it is what was wanted.
        if (!(error instanceof ApiError) || error.code !== 'already_canceled') throw error;
      });
      notice(t('order.canceled', { number: orderName(order) }));
      await read();
    },
  });
}
