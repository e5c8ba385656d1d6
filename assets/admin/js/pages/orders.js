// @ts-check
/**
 * `/admin/orders`: all orders of this shop and of its sources; search, filters, CSV; new ones come by themselves.
 * Not for: one order (order.js).
 *
 * @import { AdminOrder, Source } from '../api.js'
 */

import { debounce, el, show } from '../../../js/dom.js';
import { formatPrice } from '../../../js/money.js';
import { realtime } from '../../../js/realtime.js';
import { emptyState } from '../../../js/states.js';
import { admin } from '../api.js';
import { filters, nothingFits } from '../filters.js';
import { roomIcon } from '../icons.js';
import { List } from '../list.js';
import { bellBadge, bellSentence, buyerName, goodsNames, orderName, statusBadge } from '../order-words.js';
import { linkTo, pageHead } from '../pieces.js';
import { startPage } from '../shell.js';
import { timeTag } from '../time.js';
import { t } from '../i18n.js';

/** After an alert; more of them are read together. */
const REFRESH_AFTER_MS = 400;

if (await startPage('orders')) await start();

async function start() {
  const sources = await admin.sources().catch(() => /** @type {Source[]} */ ([]));
  const bar = filters({
    search: t('orders.search'),
    choices: [
      { name: 'status', label: t('orders.status'), options: [['', t('filter.all')], ['placed', t('order.status.placed')], ['canceled', t('order.status.canceled')]] },
      ...sources.length ? [{ name: 'source', label: t('orders.source'), options: /** @type {[string, string][]} */ ([
        ['', t('filter.all')], ['own', t('orders.own')], ...sources.map(({ sourceId, name }) => [sourceId, name])]) }] : [],
      { name: 'from', label: t('orders.from'), type: 'date' },
      { name: 'to', label: t('orders.to'), type: 'date' },
    ],
    onChange: () => {
      file.href = admin.ordersFile(wanted(bar.values()));
      list.load();
    },
  });
  const list = /** @type {List<AdminOrder>} */ (new List({
    caption: t('nav.orders'), columns: columns(sources.length > 0), key: ({ orderId }) => orderId,
    read: async (cursor) => {
      const { orders, nextCursor } = await admin.orders({ ...wanted(bar.values()), cursor });
      return { rows: orders, next: nextCursor };
    },
    empty: () => Object.keys(bar.values()).length ? nothingFits()
      : emptyState({ icon: 'bag', title: t('orders.none.title'), text: t('orders.none.text') }),
  }));
  const file = linkTo(admin.ordersFile(wanted(bar.values())), t('orders.file'), { action: 'orders-csv', drawn: roomIcon('download'), download: true });
  show(pageHead({ title: t('nav.orders'), actions: [file] }), bar.element, list.element);
  await list.load();
  const refresh = debounce(() => { if (list.isShort && !document.querySelector('dialog')) list.refresh(); }, REFRESH_AFTER_MS);
  // `hello`: what came before the connection, or while there was none.
  for (const event of ['BUY_GOODS', 'BUY_CANCELED', 'hello']) realtime.addEventListener(event, refresh);
  realtime.open();
}

/**
 * A day is meant as the reader's clock has it: from its first moment to the first of the next.
 * @param {Record<string, string>} values
 */
function wanted({ from, to, ...others }) {
  const day = (/** @type {string | undefined} */ text, plus = 0) => {
    const date = text ? new Date(`${text}T00:00`) : null;
    if (!date || Number.isNaN(date.getTime())) return null;
    date.setDate(date.getDate() + plus);
    return date.toISOString();
  };
  return { ...others, from: day(from), to: day(to, 1) };
}

/**
 * @param {boolean} ofSources whether orders come from elsewhere, too
 * @returns {import('../list.js').Column<AdminOrder>[]}
 */
function columns(ofSources) {
  /** @type {import('../list.js').Column<AdminOrder>[]} */
  const source = ofSources ? [{ label: t('orders.source'), cell: (order) => order.source?.name ?? el('span', { class: 'muted' }, t('orders.own')) }] : [];
  return [
    { label: t('orders.number'), kind: 'what tight', cell: (order) => el('a', { class: 'row-link', href: `/admin/order?orderId=${order.orderId}` }, orderName(order)) },
    { label: t('orders.date'), kind: 'tight', cell: (order) => timeTag(order.createdAt) },
    { label: t('orders.buyer'), cell: buyerName },
    { label: t('orders.goods'), cell: goodsNames },
    ...source,
    { label: t('orders.status'), cell: (order) => statusBadge(order.status) },
    { label: t('orders.bell'), cell: (order) => el('span', { title: bellSentence(order) }, bellBadge(order)) },
    { label: t('orders.total'), kind: 'num corner', cell: (order) => formatPrice(order.total, order.currency) },
  ];
}
