// @ts-check
/**
 * The newest orders as they come, also those that ring no bell. However many come, they are asked for once in a while.
 * Not for: figures (figures.js).
 *
 * @import { AdminOrder } from './api.js'
 */

import { el } from '../../js/dom.js';
import { loginRequired } from '../../js/login-required.js';
import { formatPrice } from '../../js/money.js';
import { realtime } from '../../js/realtime.js';
import { admin } from './api.js';
import { roomIcon } from './icons.js';
import { unavailable } from './list.js';
import { markNew } from './pieces.js';
import { bellSentence, buyerName, goodsNames, orderName } from './order-words.js';
import { timeTag } from './time.js';
import { t } from './i18n.js';

const SHOWN = 25;
const AT_MOST_EVERY_MS = 1_500;
/** An alert is told a moment after its order can be read, or before. */
const SOON_MS = 150;

export class Feed {
  element = el('ol', { class: 'feed', role: 'list', data: { role: 'feed' } });
  #onNew;
  /** @type {Set<number> | null} */ #known = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #readAt = -Infinity;

  /** @param {() => void} onNew an order came that was not here */
  constructor(onNew) {
    this.#onNew = onNew;
  }

  start() {
    for (const event of ['BUY_GOODS', 'BUY_CANCELED', 'hello']) realtime.addEventListener(event, () => this.soon());
    // What came while nobody looked was not read.
    document.addEventListener('visibilitychange', () => this.soon());
    return this.#read();
  }

  /** Reads before long; more wishes meanwhile are one. */
  soon() {
    if (document.hidden) return;
    this.#timer ??= setTimeout(() => this.#read(), Math.max(SOON_MS, this.#readAt + AT_MOST_EVERY_MS - performance.now()));
  }

  async #read() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#readAt = performance.now();
    try {
      const { orders } = await admin.orders({ limit: SHOWN });
      this.#show(orders);
    } catch (error) {
      if (loginRequired(error) || this.#known) return;
      const missing = unavailable(error);
      if (missing) this.element.replaceChildren(el('li', {}, missing));
    }
  }

  /** @param {AdminOrder[]} orders */
  #show(orders) {
    const fresh = orders.filter(({ orderId }) => this.#known !== null && !this.#known.has(orderId));
    const isFresh = new Set(fresh.map(({ orderId }) => orderId));
    this.element.replaceChildren(...orders.length ? orders.map((order) => line(order, isFresh.has(order.orderId))) : [el('li', { class: 'muted' }, t('feed.none'))]);
    this.#known = new Set(orders.map(({ orderId }) => orderId));
    if (fresh.length) this.#onNew();
  }
}

/**
 * @param {AdminOrder} order
 * @param {boolean} isNew
 */
function line(order, isNew) {
  const drawn = el('li', { class: 'feed-line', data: { status: order.status, orderId: order.orderId } },
    el('div', {},
      el('a', { href: `/admin/order?orderId=${order.orderId}` }, el('strong', {}, goodsNames(order))),
      el('span', { class: 'sub' }, buyerName(order), order.source ? ` · ${order.source.name}` : '', ` · ${orderName(order)}`)),
    el('div', { class: 'feed-right' },
      el('span', { class: 'price' }, formatPrice(order.total, order.currency)),
      el('span', { class: 'sub' }, order.announced ? null : el('span', { class: 'feed-silent', title: bellSentence(order) }, roomIcon('mute'), el('span', { class: 'visually-hidden' }, t('order.silent'))),
        order.status === 'canceled' ? `${t('order.status.canceled')} · ` : null, timeTag(order.createdAt))));
  return isNew ? markNew(drawn) : drawn;
}
