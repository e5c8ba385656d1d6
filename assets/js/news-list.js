// @ts-check
/**
 * The list of alerts as the log has them: what is new since one was away, then the earlier ones, and the switch for toasts.
 * Not for: the bell that opens it (elements/news-bell.js) or alerts as they happen (../widget/).
 *
 * @typedef {object} Told one alert
 * @property {number} id its offset
 * @property {string} event
 * @property {Record<string, any>} data what the event has as its payload
 */

import { api, ApiError } from './api.js';
import { el } from './dom.js';
import { lang, t, tn } from './i18n.js';
import { icon } from './icons.js';
import { news } from './news.js';
import { picture } from './picture.js';
import { realtime } from './realtime.js';
import { emptyState, errorState, linkButton } from './states.js';
import { toastSwitch } from './toast-switch.js';
import { timeAgo } from '../widget/messages.js';
import { webUrl } from '../widget/web-url.js';

const PAGE_SIZE = 30;

export class NewsList {
  /** Up to where the reader was told when the list was opened. */ #seen = news.seen?.id ?? 0;
  /** The oldest offset that was read. */ #oldest = Infinity;
  #new = el('ol', { class: 'news-items', role: 'list' });
  #earlier = el('ol', { class: 'news-items', role: 'list' });
  #newHeading = el('h3', { class: 'news-when', hidden: true });
  #earlierHeading = el('h3', { class: 'news-when', hidden: true }, t('news.earlier'));
  #below = el('div', { class: 'news-below' });
  /** @type {Set<number>} */ #canceled = new Set();

  element = el('div', { class: 'news-list' },
    el('h2', { class: 'news-title', tabindex: -1, autofocus: true }, t('news.title')),
    el('div', { class: 'news-switch' }, toastSwitch('news-toasts')),
    this.#newHeading, this.#new, this.#earlierHeading, this.#earlier, this.#below);

  constructor() {
    const live = (/** @type {Event} */ event) => {
      // Taken off the page with the panel.
      if (this.element.isConnected) this.#add([{ id: Number(/** @type {CustomEvent} */ (event).detail?.id), event: event.type, data: /** @type {CustomEvent} */ (event).detail ?? {} }]);
      else for (const type of ['BUY_GOODS', 'BUY_CANCELED']) realtime.removeEventListener(type, live);
    };
    for (const type of ['BUY_GOODS', 'BUY_CANCELED']) realtime.addEventListener(type, live);
    this.#load();
  }

  async #load() {
    this.#below.replaceChildren(el('span', { class: 'skeleton skeleton-line' }), el('span', { class: 'skeleton skeleton-line short' }));
    try {
      const { notifications, latest } = await this.#read();
      this.#oldest = Math.min(notifications[0]?.id ?? 1, this.#oldest);
      this.#add(notifications);
      news.latest = Math.max(news.latest, latest);
      news.markSeen();
      this.#drawBelow(this.#oldest > 1);
    } catch (error) {
      this.#showProblem(error);
    }
  }

  /** The newest page, then the one before what was read. */
  async #read() {
    if (this.#oldest === Infinity) return api.notifications({ limit: PAGE_SIZE });
    // Offsets are contiguous: older ones are counted back.
    const last = this.#oldest - 1;
    const from = (/** @type {number} */ first) => api.notifications({ after: first - 1, limit: last - first + 1 });
    const first = Math.max(1, this.#oldest - PAGE_SIZE);
    try {
      return await from(first);
    } catch (error) {
      const kept = error instanceof ApiError && error.status === 410 ? Number(error.problem.oldest) : NaN;
      if (!(kept > first && kept <= last)) throw error;
      // Some of them were pruned: the rest.
      return from(kept);
    }
  }

  /** @param {unknown} error */
  #showProblem(error) {
    if (error instanceof ApiError && error.status === 401) {
      const next = encodeURIComponent(location.pathname + location.search);
      this.#below.replaceChildren(emptyState({ icon: 'bell', title: t('news.members.title'), text: t('news.members.text'), action: linkButton(`/login.html?next=${next}`, t('nav.login')) }));
    // The log does not reach further back.
    } else if (error instanceof ApiError && error.status === 410) {
      this.#drawBelow(false);
    } else {
      this.#below.replaceChildren(errorState(error, () => this.#load()));
    }
  }

  /** @param {boolean} more */
  #drawBelow(more) {
    const isEmpty = !this.#new.childElementCount && !this.#earlier.childElementCount;
    this.#below.replaceChildren(
      isEmpty ? emptyState({ icon: 'bell', title: t('news.empty.title'), text: t('news.empty.text') }) : '',
      more ? el('button', { type: 'button', class: 'button button-quiet', data: { action: 'more-news' }, on: { click: () => this.#load() } }, t('news.more')) : '');
  }

  /** @param {Told[]} told in the order of the log */
  #add(told) {
    for (const { event, data } of told) if (event === 'BUY_CANCELED') this.#cancel(Number(data.canceled));
    for (const one of told) {
      if (one.event !== 'BUY_GOODS' || !Number.isInteger(one.id) || this.#canceled.has(one.id) || this.#item(one.id)) continue;
      const list = one.id > this.#seen ? this.#new : this.#earlier;
      const before = [...list.children].find((item) => Number(/** @type {HTMLElement} */ (item).dataset.id) < one.id) ?? null;
      list.insertBefore(item(one), before);
    }
    this.#drawHeadings();
    this.#below.querySelector('.state')?.remove();
  }

  /** @param {number} id of an alert that does not hold any more */
  #cancel(id) {
    this.#canceled.add(id);
    this.#item(id)?.remove();
  }

  /** @param {number} id */
  #item(id) { return this.element.querySelector(`.news-item[data-id="${Number(id)}"]`); }

  #drawHeadings() {
    const count = this.#new.childElementCount;
    this.#newHeading.hidden = count === 0;
    this.#newHeading.textContent = tn('news.new', count);
    this.#earlierHeading.hidden = count === 0 || this.#earlier.childElementCount === 0;
  }
}

/** @param {Told} told */
function item({ id, data }) {
  const goods = data.firstGoodsName || data.goodsName || '';
  const others = Number(data.otherGoods) || 0;
  const name = data.anonymous ? t('news.someone') : String(data.nickname ?? '');
  const url = webUrl(data.thumbnailUrl, location.origin);
  // The name is an element of its own: it may be written the other way.
  const [before, after] = t('news.by', { name: '|' }).split('|');
  return el('li', { class: 'news-item', data: { id } },
    el('span', { class: 'news-picture' }, url ? picture({ thumbnailUrl: url }) : icon('bell')),
    el('div', { class: 'news-text' },
      el('p', { class: 'news-goods' }, el('a', { href: pageOf(data), dir: 'auto' }, String(goods)), others ? ` ${tn('news.more-goods', others)}` : ''),
      el('p', { class: 'news-who' }, before, el('bdi', {}, name), after, ' · ', when(String(data.orderedAt ?? data.date)))));
}

/** @param {string} iso says nothing where it is no time */
function when(iso) {
  const at = Date.parse(iso);
  return el('time', { datetime: iso }, Number.isNaN(at) ? '' : timeAgo(at, realtime.now(), lang));
}

/**
 * The goods' own page elsewhere, where they have one.
 * @param {Record<string, any>} data
 */
function pageOf({ goodsId, goodsUrl }) {
  return webUrl(goodsUrl) ?? `/detail.html?goodsId=${Number(goodsId)}`;
}
