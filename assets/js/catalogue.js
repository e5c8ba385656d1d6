/**
 * The grid of goods with search, categories and more by cursor, kept live by `goods` events.
 * Not for: what surrounds it (pages/index.js, pages/goods.js) or one card (goods-card.js).
 */

import { api } from './api.js';
import { knownCategories } from './categories.js';
import { debounce, el } from './dom.js';
import { categoryName } from './format.js';
import { goodsCard, skeletonCards, updateCard } from './goods-card.js';
import { t, tn } from './i18n.js';
import { icon } from './icons.js';
import { onGoods, realtime } from './realtime.js';
import { emptyState, errorState } from './states.js';

const PAGE_SIZE = 24;
const TYPING_PAUSE_MS = 250;

export class Catalogue {
  /** @type {AbortController | null} */ #loading = null;
  /** @type {number | string | null} */ #cursor = null;
  #category = ''; #q = '';
  #grid = el('div', { class: 'goods-grid', id: 'goods-grid' });
  #below = el('div', { class: 'goods-below' });
  #status = el('p', { class: 'goods-status', role: 'status' });
  #chips = el('div', { class: 'chips', role: 'group', aria: { label: t('goods.categories') } });
  #search; #watch;

  constructor() {
    this.#readAddress();
    this.#search = this.#searchForm();
    this.element = el('div', { class: 'catalogue' },
      el('div', { class: 'catalogue-tools' }, this.#search, this.#chips), this.#status, this.#grid, this.#below);
    // Loads on before the end comes into view; the button stays for those who don't scroll.
    this.#watch = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#more();
    }, { rootMargin: '400px' });
    onGoods((change) => this.#changed(change));
    realtime.addEventListener('gap', () => this.#reload());
    addEventListener('popstate', () => { this.#readAddress(); this.#reload(); });
    this.#drawChips([]);
    this.#reload();
    knownCategories().then((all) => this.#drawChips(all)).catch(() => { /* the grid says what failed */ });
  }

  get #filtered() { return this.#q !== '' || this.#category !== ''; }

  #readAddress() {
    const params = new URLSearchParams(location.search);
    this.#category = params.get('category') ?? '';
    this.#q = params.get('q') ?? '';
    const input = this.#search?.querySelector('input');
    if (input) input.value = this.#q;
    this.#markChip();
  }

  #writeAddress(how) {
    const url = new URL(location.href);
    for (const [key, value] of [['category', this.#category], ['q', this.#q]]) {
      if (value) url.searchParams.set(key, value);
      else url.searchParams.delete(key);
    }
    if (url.href !== location.href) history[how](null, '', url);
  }

  #searchForm() {
    const input = el('input', {
      type: 'search', name: 'q', class: 'input search-input', id: 'search', autocomplete: 'off', maxlength: 100,
      placeholder: t('goods.search'), value: this.#q, aria: { label: t('goods.search') }, enterkeyhint: 'search',
    });
    const run = () => {
      if (input.value.trim() === this.#q) return;
      this.#q = input.value.trim();
      this.#writeAddress('replaceState');
      this.#reload();
    };
    input.addEventListener('input', debounce(run, TYPING_PAUSE_MS));
    return el('form', { class: 'search', role: 'search', on: { submit: (event) => { event.preventDefault(); run(); } } },
      icon('search'), input);
  }

  #drawChips(categories) {
    const all = this.#category && !categories.includes(this.#category) ? [...categories, this.#category] : categories;
    this.#chips.replaceChildren(...['', ...all].map((category) => el('button', {
      type: 'button', class: 'chip', data: { category },
      on: { click: () => this.#choose(category) },
    }, category ? categoryName(category) : t('goods.category.all'))));
    this.#markChip();
  }

  #markChip() {
    for (const chip of this.#chips.children) {
      const chosen = /** @type {HTMLElement} */ (chip).dataset.category === this.#category;
      chip.setAttribute('aria-pressed', String(chosen));
      // A row that scrolls sideways keeps the chosen one in sight.
      if (chosen) this.#chips.scrollTo({ left: /** @type {HTMLElement} */ (chip).offsetLeft - 48 });
    }
  }

  #choose(category) {
    this.#category = category;
    this.#markChip();
    this.#writeAddress('pushState');
    this.#reload();
  }

  #reload() {
    this.#loading?.abort();
    this.#loading = null;
    this.#cursor = null;
    this.#load({ fresh: true });
  }

  #more() {
    if (this.#cursor !== null && !this.#loading) this.#load({ fresh: false });
  }

  async #load({ fresh }) {
    const loading = new AbortController();
    this.#loading = loading;
    const waiting = skeletonCards(fresh ? 8 : 4);
    if (fresh) this.#status.textContent = this.#filtered ? t('goods.loading') : '';
    if (fresh) this.#grid.replaceChildren(...waiting);
    else this.#grid.append(...waiting);
    this.#grid.setAttribute('aria-busy', 'true');
    this.#below.replaceChildren();
    try {
      const { goods, nextCursor } = await api.goodsList(
        { category: this.#category, q: this.#q, limit: PAGE_SIZE, cursor: fresh ? null : this.#cursor }, loading.signal);
      if (loading.signal.aborted) return;
      waiting.forEach((card) => card.remove());
      this.#cursor = nextCursor ?? null;
      this.#append(goods, fresh);
    } catch (error) {
      if (loading.signal.aborted) return;
      waiting.forEach((card) => card.remove());
      this.#status.textContent = '';
      this.#below.replaceChildren(errorState(error, () => this.#load({ fresh })));
    } finally {
      if (this.#loading === loading) this.#loading = null;
      this.#grid.removeAttribute('aria-busy');
    }
  }

  #append(goods, fresh) {
    const cards = /** @type {NodeListOf<HTMLElement>} */ (this.#grid.querySelectorAll('[data-goods-id]'));
    const known = new Set([...cards].map((card) => card.dataset.goodsId));
    const fresher = goods.filter((one) => !known.has(String(one.goodsId)));
    this.#grid.append(...fresher.map((one, index) => goodsCard(one, { eager: fresh && index < 8 })));
    const count = this.#grid.childElementCount;
    this.#status.textContent = this.#filtered && this.#cursor === null && count ? tn('goods.found', count) : '';
    this.#drawBelow(count);
  }

  #drawBelow(count) {
    this.#watch.disconnect();
    if (this.#cursor !== null) {
      const more = el('button', { type: 'button', class: 'button button-quiet', data: { action: 'more-goods' }, on: { click: () => this.#more() } }, t('goods.more'));
      this.#below.replaceChildren(more);
      this.#watch.observe(more);
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
    const input = this.#search.querySelector('input');
    if (input) input.value = '';
    this.#choose('');
  }

  #changed({ action, goods }) {
    const card = /** @type {HTMLElement | null} */ (this.#grid.querySelector(`[data-goods-id="${Number(goods.goodsId)}"]`));
    if (action === 'delete') card?.remove();
    else if (card) updateCard(card, goods);
    else if (action === 'create' && this.#matches(goods)) this.#grid.prepend(goodsCard(goods, { eager: true }));
    else return;
    if (!this.#loading) this.#drawBelow(this.#grid.childElementCount);
  }

  /** The server's search decides in general; for one newcomer the name's words are enough. */
  #matches(goods) {
    if (this.#category && goods.category !== this.#category) return false;
    return goods.name.toLocaleLowerCase().includes(this.#q.toLocaleLowerCase());
  }
}
