// @ts-check
/**
 * A list of a page: a table on a wide screen, cards on a narrow one, read page by page; with its states while it loads,
 * when it is empty, and when it could not be read.
 * Not for: what the rows are.
 *
 * @import { Child } from '../../js/dom.js'
 * @import { Cursor } from '../../js/api.js'
 */

import { el } from '../../js/dom.js';
import { loginRequired } from '../../js/login-required.js';
import { emptyState, errorState } from '../../js/states.js';
import { isMissing } from './api.js';
import { markNew } from './pieces.js';
import { t } from './i18n.js';

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} label
 * @property {(row: Row) => Child | Child[]} cell
 * @property {string} [kind] words: `what` (what the row is, the head of its card), `corner` (beside that), `num`, `tight` (as narrow
 *   as its content)
 * @property {boolean} [hidden] whether the label is for screen readers alone
 */

/**
 * @template Row
 * @typedef {object} ListOptions
 * @property {string} caption what the list is, for screen readers
 * @property {Column<Row>[]} columns
 * @property {(cursor: Cursor | null) => Promise<{rows: Row[], next?: Cursor | null}>} read
 * @property {(row: Row) => string | number} key tells one row from another
 * @property {() => HTMLElement} empty shown instead of no rows
 */

const SKELETON_ROWS = 6;

/** @template Row */
export class List {
  element = el('div', { class: 'list' });
  /** @type {Row[]} */ rows = [];
  #options;
  #body = el('tbody', { role: 'rowgroup' });
  #foot = el('div', { class: 'list-foot' });
  /** @type {Cursor | null} */ #next = null;
  /** Whether more than the first page is shown. */ #isLong = false;
  /** Counts what was asked for: a later answer to an earlier question is ignored. */ #asked = 0;

  /** @param {ListOptions<Row>} options */
  constructor(options) {
    this.#options = options;
  }

  /** Whether only the first page is shown, so that it may be read again under the reader's eyes. */
  get isShort() { return !this.#isLong; }

  /** Reads the first page anew. */
  async load() {
    this.#isLong = false;
    this.#drawTable();
    this.#body.replaceChildren(...Array.from({ length: SKELETON_ROWS }, () => this.#skeleton()));
    this.element.setAttribute('aria-busy', 'true');
    await this.#read(null, (rows) => this.#show(rows));
    this.element.removeAttribute('aria-busy');
  }

  /** Reads the first page again, and marks what was not there before. A failure leaves what is shown. */
  async refresh() {
    const asked = this.#asked += 1;
    try {
      const { rows, next } = await this.#options.read(null);
      if (asked !== this.#asked) return;
      const known = new Set(this.rows.map(this.#options.key));
      this.#next = next ?? null;
      this.#isLong = false;
      this.#show(rows, known);
    } catch (error) {
      loginRequired(error);
    }
  }

  /**
   * Draws a row again, if it is shown.
   * @param {Row} row
   */
  replace(row) {
    const index = this.rows.findIndex((shown) => this.#options.key(shown) === this.#options.key(row));
    if (index < 0) return;
    this.rows[index] = row;
    this.#body.children[index]?.replaceWith(this.#draw(row));
  }

  /**
   * @param {Cursor | null} cursor
   * @param {(rows: Row[]) => void} show
   */
  async #read(cursor, show) {
    const asked = this.#asked += 1;
    try {
      const { rows, next } = await this.#options.read(cursor);
      if (asked !== this.#asked) return;
      this.#next = next ?? null;
      show(rows);
    } catch (error) {
      if (asked !== this.#asked || loginRequired(error)) return;
      this.#foot.replaceChildren(unavailable(error) ?? errorState(error, () => cursor === null ? this.load() : this.#more()));
      if (cursor === null) this.element.replaceChildren(this.#foot);
    }
  }

  #more() {
    // From now on: what is read again meanwhile would take the place of what was asked for.
    this.#isLong = true;
    this.#foot.replaceChildren(el('p', { class: 'muted', role: 'status' }, t('list.loading')));
    return this.#read(this.#next, (rows) => {
      this.rows.push(...rows);
      this.#body.append(...rows.map((row) => this.#draw(row)));
      this.#drawFoot();
    });
  }

  /**
   * @param {Row[]} rows
   * @param {Set<string | number> | null} [known] the keys that were there; others are marked
   */
  #show(rows, known = null) {
    this.rows = rows;
    if (rows.length === 0) {
      this.element.replaceChildren(this.#options.empty());
      return;
    }
    if (!this.#body.isConnected) this.#drawTable();
    this.#body.replaceChildren(...rows.map((row) => this.#draw(row, known !== null && !known.has(this.#options.key(row)))));
    this.#drawFoot();
  }

  #drawTable() {
    const { caption, columns } = this.#options;
    this.element.replaceChildren(el('table', { role: 'table', aria: { label: caption } },
      el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...columns.map(({ label, kind, hidden }) =>
        el('th', { scope: 'col', role: 'columnheader', class: kind }, hidden ? el('span', { class: 'visually-hidden' }, label) : label)))),
      this.#body), this.#foot);
    this.#foot.replaceChildren();
  }

  #drawFoot() {
    this.#foot.replaceChildren(...this.#next === null ? [] : [
      el('button', { type: 'button', class: 'button button-small button-quiet', data: { action: 'more' }, on: { click: () => this.#more() } }, t('list.more'))]);
  }

  /**
   * @param {Row} row
   * @param {boolean} [isNew]
   */
  #draw(row, isNew = false) {
    const drawn = el('tr', { role: 'row', data: { key: this.#options.key(row) } },
      ...this.#options.columns.map(({ label, cell, kind = '', hidden }) => el('td', {
        role: 'cell', class: kind, data: { label: hidden ? null : label },
      }, cell(row))));
    return isNew ? markNew(drawn) : drawn;
  }

  #skeleton() {
    return el('tr', { role: 'row', aria: { hidden: 'true' } }, ...this.#options.columns.map(() =>
      el('td', { role: 'cell' }, el('span', { class: 'skeleton skeleton-line' }))));
  }
}

/**
 * What is said when this server does not have what a page is about (an older program behind newer pages); null for any
 * other error.
 * @param {unknown} error
 * @param {'h1' | 'h2'} [level] of its heading
 */
export function unavailable(error, level = 'h2') {
  return isMissing(error) ? emptyState({ icon: 'alert', level, title: t('unavailable.title'), text: t('unavailable.text') }) : null;
}
