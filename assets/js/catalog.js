// @ts-check
/**
 * The grid of goods with search, categories, filters and more by cursor, kept live by `goods` events.
 * Not for: what surrounds it (pages/index.js, pages/goods.js) or one card (goods-card.js).
 */

import { api } from './api.js';
import { loadCategories } from './categories.js';
import { debounce, el } from './dom.js';
import { categoryName } from './format.js';
import { goodsCard, skeletonCards, updateCard } from './goods-card.js';
import { t, tn } from './i18n.js';
import { icon } from './icons.js';
import { onGoods, realtime } from './realtime.js';
import { emptyState, errorState } from './states.js';

/**
 * @import { Cursor, Goods } from './api.js'
 * @import { CatalogFilters } from './catalog-filters.js'
 * @import { GoodsChange } from './realtime.js'
 */

const PAGE_SIZE = 24;
const TYPING_PAUSE_MS = 250;
/** Cards of the first page whose pictures are loaded at once. */
const EAGER_CARDS = 8;
/** How far the chosen category is kept from the edge of the row, px. */
const CHIP_MARGIN_PX = 48;

export class Catalog {
  /** @type {AbortController | null} */ #loading = null;
  /** Where the next page begins; null: there is none. @type {Cursor | null} */ #cursor = null;
  #category = '';
  #q = '';
  #grid = el('div', { class: 'goods-grid', id: 'goods-grid' });
  #below = el('div', { class: 'goods-below' });
  #status = el('p', { class: 'goods-status', role: 'status' });
  #chips = el('div', { class: 'chips', role: 'group', aria: { label: t('goods.categories') } });
  #input = el('input', {
    type: 'search', name: 'q', class: 'input search-input', id: 'search', autocomplete: 'off', maxlength: 100,
    placeholder: t('goods.search'), aria: { label: t('goods.search') }, enterkeyhint: 'search',
    on: { input: debounce(() => this.#search(), TYPING_PAUSE_MS) },
  });
  /** Loads more before the end comes into view; the button stays for those who don't scroll. */
  #endObserver = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) this.#loadMore();
  }, { rootMargin: '400px' });

  /** None on pages that show everything. @type {CatalogFilters | null} */ #filters;

  element = el('div', { class: 'catalog' },
    el('div', { class: 'catalog-tools' }, this.#searchForm(), this.#chips), this.#status, this.#grid, this.#below);

  /** @param {{filters?: CatalogFilters | null}} [options] `filters`: order, price and stock can be chosen */
  constructor({ filters = null } = {}) {
    this.#filters = filters;
    if (filters) this.#chips.after(filters.element);
    filters?.addEventListener('change', () => this.#filter());
    this.#readAddress();
    onGoods((change) => this.#applyChange(change));
    realtime.addEventListener('gap', () => this.#reload());
    addEventListener('popstate', () => { this.#readAddress(); this.#reload(); });
    this.#drawChips([]);
    this.#reload();
    loadCategories().then((all) => this.#drawChips(all)).catch(() => { /* the grid shows the error */ });
  }

  get #filtered() { return this.#q !== '' || this.#category !== '' || Boolean(this.#filters?.active); }

  #readAddress() {
    const params = new URLSearchParams(location.search);
    this.#category = params.get('category') ?? '';
    this.#q = params.get('q') ?? '';
    this.#input.value = this.#q;
    this.#filters?.read(params);
    this.#markChip();
  }

  /** @param {'pushState' | 'replaceState'} how */
  #writeAddress(how) {
    const url = new URL(location.href);
    for (const [key, value] of Object.entries({ category: this.#category, q: this.#q, ...this.#filters?.params() })) {
      if (value || value === 0) url.searchParams.set(key, String(value));
      else url.searchParams.delete(key);
    }
    if (url.href !== location.href) history[how](null, '', url);
  }

  #searchForm() {
    const onSubmit = (/** @type {Event} */ event) => { event.preventDefault(); this.#search(); };
    return el('form', { class: 'search', role: 'search', on: { submit: onSubmit } }, icon('search'), this.#input);
  }

  #search() {
    const q = this.#input.value.trim();
    if (q === this.#q) return;
    this.#q = q;
    this.#writeAddress('replaceState');
    this.#reload();
  }

  /** @param {string[]} categories */
  #drawChips(categories) {
    const all = this.#category && !categories.includes(this.#category) ? [...categories, this.#category] : categories;
    this.#chips.replaceChildren(...['', ...all].map((category) => el('button', {
      type: 'button', class: 'chip', data: { category },
      on: { click: () => this.#choose(category) },
    }, category ? categoryName(category) : t('goods.category.all'))));
    this.#markChip();
  }

  #markChip() {
    for (const chip of /** @type {HTMLCollectionOf<HTMLElement>} */ (this.#chips.children)) {
      const chosen = chip.dataset.category === this.#category;
      chip.setAttribute('aria-pressed', String(chosen));
      // The row scrolls sideways.
      if (chosen) this.#chips.scrollTo({ left: chip.offsetLeft - CHIP_MARGIN_PX });
    }
  }

  /** @param {string} category all when empty */
  #choose(category) {
    this.#category = category;
    this.#markChip();
    this.#writeAddress('pushState');
    this.#reload();
  }

  #filter() {
    this.#writeAddress('pushState');
    this.#reload();
  }

  #reload() {
    this.#loading?.abort();
    this.#loading = null;
    this.#cursor = null;
    this.#load({ first: true });
  }

  #loadMore() {
    if (this.#cursor !== null && !this.#loading) this.#load({ first: false });
  }

  /** @param {{first: boolean}} page */
  async #load({ first }) {
    const loading = new AbortController();
    this.#loading = loading;
    const placeholders = skeletonCards(first ? EAGER_CARDS : 4);
    if (first) this.#status.textContent = this.#filtered ? t('goods.loading') : '';
    if (first) this.#grid.replaceChildren(...placeholders);
    else this.#grid.append(...placeholders);
    this.#grid.setAttribute('aria-busy', 'true');
    this.#below.replaceChildren();
    try {
      const { goods, nextCursor } = await api.goodsList(
        { category: this.#category, q: this.#q, ...this.#filters?.params(), limit: PAGE_SIZE, cursor: first ? null : this.#cursor }, loading.signal);
      if (loading.signal.aborted) return;
      placeholders.forEach((card) => card.remove());
      this.#cursor = nextCursor ?? null;
      this.#append(goods, first);
    } catch (error) {
      if (loading.signal.aborted) return;
      placeholders.forEach((card) => card.remove());
      this.#status.textContent = '';
      this.#below.replaceChildren(errorState(error, () => this.#load({ first })));
    } finally {
      if (this.#loading === loading) {
        this.#loading = null;
        this.#grid.removeAttribute('aria-busy');
      }
    }
  }

  /**
   * @param {Goods[]} goods
   * @param {boolean} first whether this is the first page
   */
  #append(goods, first) {
    // A `goods` event may have been quicker.
    const missing = goods.filter((one) => !this.#card(one.goodsId));
    this.#grid.append(...missing.map((one, index) => goodsCard(one, { eager: first && index < EAGER_CARDS })));
    const count = this.#grid.childElementCount;
    this.#status.textContent = this.#filtered && this.#cursor === null && count ? tn('goods.found', count) : '';
    this.#drawBelow(count);
  }

  /** @param {number} count of cards */
  #drawBelow(count) {
    this.#endObserver.disconnect();
    if (this.#cursor !== null) {
      const more = el('button', {
        type: 'button', class: 'button button-quiet', data: { action: 'more-goods' }, on: { click: () => this.#loadMore() },
      }, t('goods.more'));
      this.#below.replaceChildren(more);
      this.#endObserver.observe(more);
    } else if (count === 0) {
      this.#below.replaceChildren(emptyState({
        icon: 'search', title: t('goods.none.title'), text: t('goods.none.text'),
        action: el('button', { type: 'button', class: 'button button-primary', on: { click: () => this.#reset() } }, t('goods.none.reset')),
      }));
    } else {
      this.#below.replaceChildren(count > PAGE_SIZE ? el('p', { class: 'goods-end' }, t('goods.end')) : '');
    }
  }

  #reset() {
    this.#q = '';
    this.#input.value = '';
    this.#filters?.reset();
    this.#choose('');
  }

  /**
   * @param {number} goodsId
   * @returns {HTMLElement | null}
   */
  #card(goodsId) { return this.#grid.querySelector(`[data-goods-id="${Number(goodsId)}"]`); }

  /** @param {GoodsChange} change */
  #applyChange({ action, goods }) {
    const card = this.#card(goods.goodsId);
    if (action === 'delete') card?.remove();
    else if (card) updateCard(card, goods);
    else if (action === 'create' && this.#matches(goods)) this.#grid.prepend(goodsCard(goods, { eager: true }));
    else return;
    if (!this.#loading) this.#drawBelow(this.#grid.childElementCount);
  }

  /**
   * Whether new goods belong into the list. The server's search is finer; for one card the name is enough.
   * @param {Goods} goods
   */
  #matches(goods) {
    if (goods.listed === false || (this.#category && goods.category !== this.#category) || this.#filters?.matches(goods) === false) return false;
    return goods.name.toLocaleLowerCase().includes(this.#q.toLocaleLowerCase());
  }
}
