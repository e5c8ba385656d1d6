// @ts-check
/**
 * The real widget with invented orders, as the form beside it says: nobody but this page hears them.
 * Not for: the settings (pages/alerts.js).
 */

import { el } from '../../js/dom.js';
import { ShopbellToasts } from '../../widget/shopbell-toasts.js';
import { now } from './time.js';
import { lang, t } from './i18n.js';

/** Offsets that no alert has. */
const FIRST_ID = 9e12;
const BURST = 6;
const BURST_GAP_MS = 250;
const NAMES = ['Mina Kim', 'Theo', '지우', 'Ana', 'Joon', 'Lee'];

/**
 * @typedef {object} Wanted
 * @property {number} seconds
 * @property {number} atOnce
 * @property {'full' | 'masked'} display
 */

export class AlertPreview {
  #source = new EventTarget();
  #element = /** @type {ShopbellToasts} */ (el('shopbell-toasts', {
    lang, delaySeconds: 0, gapSeconds: 0, perVisit: 1e6, quietDays: 0, include: '', exclude: '',
  }));
  #id = FIRST_ID;

  constructor() {
    // That this browser is to hear nothing on the shop's pages stays so, and does not hold here.
    Object.defineProperty(this.#element, 'muted', { value: false });
    document.body.append(this.#element);
    this.#element.source = Object.assign(this.#source, { now });
  }

  /** @param {Wanted} wanted */
  ring(wanted) {
    if (wanted.seconds > 0) this.#element.setAttribute('seconds', String(wanted.seconds));
    if (wanted.atOnce > 0) this.#element.setAttribute('atOnce', String(wanted.atOnce));
    const id = this.#id += 1;
    const name = NAMES[id % NAMES.length];
    this.#source.dispatchEvent(new CustomEvent('BUY_GOODS', { detail: {
      id, nickname: wanted.display === 'masked' ? `${[...name][0]}**` : name, goodsId: id, goodsName: t('preview.goods'), firstGoodsName: t('preview.goods'),
      otherGoods: 0, quantity: 1, date: new Date(now()).toISOString(), thumbnailUrl: '/images/goods/jasmine-tea.svg',
    } }));
  }

  /** @param {Wanted} wanted */
  burst(wanted) {
    for (let index = 0; index < BURST; index += 1) setTimeout(() => this.ring(wanted), index * BURST_GAP_MS);
  }
}
