// @ts-check
/**
 * Order, price range and "in stock" of the list, as controls and as parts of the address.
 * Not for: asking for the goods (catalog.js) or categories and words, which every list has.
 *
 * Event: `change`, when the reader has changed something.
 *
 * @typedef {object} Filters
 * @property {string} sort one of SORTS; the newest first when empty
 * @property {number | null} minPrice major unit
 * @property {number | null} maxPrice major unit
 * @property {boolean} inStock
 */

import { api } from './api.js';
import { el } from './dom.js';
import { t } from './i18n.js';
import { parsePrice } from './numbers.js';

const SORTS = ['', 'priceAsc', 'priceDesc', 'name'];
const NONE = { sort: '', minPrice: null, maxPrice: null, inStock: false };

export class CatalogFilters extends EventTarget {
  /** @type {Filters} */ values = { ...NONE };
  #decimals = 2;
  #sort = el('select', { class: 'select', aria: { label: t('goods.sort') }, on: { change: () => this.#change({ sort: this.#sort.value }) } },
    ...SORTS.map((sort) => el('option', { value: sort }, t(`goods.sort.${sort || 'newest'}`))));
  #min = this.#priceInput('minPrice', t('goods.price.from'));
  #max = this.#priceInput('maxPrice', t('goods.price.to'));
  #inStock = el('button', {
    type: 'button', class: 'chip', data: { action: 'in-stock' }, on: { click: () => this.#change({ inStock: !this.values.inStock }) },
  }, t('goods.in-stock'));
  #currency = el('span', { class: 'filter-currency', aria: { hidden: 'true' } });

  element = el('div', { class: 'filters', role: 'group', aria: { label: t('goods.filters') } },
    this.#sort, this.#inStock,
    el('div', { class: 'filter-price' }, this.#currency, this.#min, el('span', { aria: { hidden: 'true' } }, '–'), this.#max));

  constructor() {
    super();
    api.shop().then((shop) => {
      this.#decimals = shop?.currencyDecimals ?? this.#decimals;
      this.#currency.textContent = shop?.currency ?? '';
    });
  }

  get active() { return this.values.minPrice !== null || this.values.maxPrice !== null || this.values.inStock; }

  reset() {
    this.values = { ...NONE };
    this.#draw();
  }

  /** Takes what the address says, and nothing that it should not. @param {URLSearchParams} params */
  read(params) {
    const price = (/** @type {string} */ name) => {
      const value = Number(params.get(name) || NaN);
      return Number.isFinite(value) && value >= 0 ? value : null;
    };
    const sort = params.get('sort') ?? '';
    this.values = {
      sort: SORTS.includes(sort) ? sort : '', minPrice: price('minPrice'), maxPrice: price('maxPrice'), inStock: params.get('inStock') === 'true',
    };
    this.#draw();
  }

  /** For the address and for the request; what is not asked for is null. */
  params() {
    const { sort, minPrice, maxPrice, inStock } = this.values;
    return { sort: sort || null, minPrice, maxPrice, inStock: inStock || null };
  }

  /**
   * Whether goods that have just come into the shop belong into the list.
   * @param {{price: number, stock: number | null}} goods
   */
  matches({ price, stock }) {
    const { sort, minPrice, maxPrice, inStock } = this.values;
    // In another order their place may be on a page that was not read yet.
    return sort === '' && price >= (minPrice ?? 0) && price <= (maxPrice ?? Infinity) && !(inStock && stock === 0);
  }

  /**
   * @param {'minPrice' | 'maxPrice'} name
   * @param {string} label
   */
  #priceInput(name, label) {
    /** @type {HTMLInputElement} */
    const input = el('input', {
      class: 'input price-input', name, inputmode: 'decimal', autocomplete: 'off', maxlength: 24, placeholder: label, aria: { label },
      on: { change: () => this.#setPrice(name, input.value) },
    });
    return input;
  }

  /**
   * What cannot be read keeps the number that stood there.
   * @param {'minPrice' | 'maxPrice'} name
   * @param {string} text
   */
  #setPrice(name, text) {
    const price = text.trim() === '' ? null : parsePrice(text, this.#decimals) ?? this.values[name];
    this.#change({ [name]: price });
  }

  /** @param {Partial<Filters>} changed */
  #change(changed) {
    const before = JSON.stringify(this.values);
    this.values = { ...this.values, ...changed };
    const { minPrice, maxPrice } = this.values;
    // A range that nothing is in is one that was typed the other way around.
    if (minPrice !== null && maxPrice !== null && minPrice > maxPrice) this.values = { ...this.values, minPrice: maxPrice, maxPrice: minPrice };
    this.#draw();
    if (JSON.stringify(this.values) !== before) this.dispatchEvent(new Event('change'));
  }

  #draw() {
    const { sort, minPrice, maxPrice, inStock } = this.values;
    this.#sort.value = sort;
    this.#min.value = minPrice === null ? '' : String(minPrice);
    this.#max.value = maxPrice === null ? '' : String(maxPrice);
    this.#inStock.setAttribute('aria-pressed', String(inStock));
  }
}
