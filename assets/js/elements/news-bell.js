// @ts-check
/**
 * <news-bell>: a bell that has a dot while there is something that this browser was not told, and opens the list of alerts.
 * Not for: what is in the list (../news-list.js, loaded when it is opened first) or registering itself (../shell.js).
 */

import { api } from '../api.js';
import { el } from '../dom.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { news } from '../news.js';
import { session } from '../session.js';

export class NewsBell extends HTMLElement {
  /** Aborted on disconnect. @type {AbortController | null} */ #connected = null;
  /** null: not known yet. @type {boolean | null} */ #tellsGuests = null;
  #dot = el('span', { class: 'badge-dot', data: { role: 'news-dot' }, hidden: true });
  #button = el('button', { type: 'button', class: 'header-bell', popovertarget: 'news', data: { action: 'open-news' } }, icon('bell'), this.#dot);
  #panel = el('div', { class: 'news', id: 'news', role: 'dialog', popover: 'auto', aria: { label: t('news.title') } });

  connectedCallback() {
    this.#connected = new AbortController();
    const { signal } = this.#connected;
    this.replaceChildren(this.#button, this.#panel);
    this.#panel.addEventListener('toggle', (event) => this.#onToggle(/** @type {ToggleEvent} */ (event).newState === 'open'), { signal });
    news.addEventListener('change', () => this.#draw(), { signal });
    session.addEventListener('user', () => this.#draw(), { signal });
    this.#draw();
  }

  disconnectedCallback() {
    this.#connected?.abort();
    this.#connected = null;
    this.replaceChildren();
  }

  #draw() {
    const isNew = news.isNew && this.#mayRead() && !this.#panel.matches(':popover-open');
    this.#dot.hidden = !isNew;
    this.#button.setAttribute('aria-label', t(isNew ? 'news.open.new' : 'news.open'));
  }

  /** Guests only where the shop tells everyone. */
  #mayRead() {
    if (session.user) return true;
    if (this.#tellsGuests === null) api.shop().then((shop) => { this.#tellsGuests = shop?.audience === 'everyone'; this.#draw(); });
    return this.#tellsGuests === true;
  }

  /** @param {boolean} open */
  async #onToggle(open) {
    this.#draw();
    const { NewsList } = await import('../news-list.js');
    // What is not seen costs nothing.
    this.#panel.replaceChildren(...(open ? [new NewsList().element] : []));
    /** @type {HTMLElement | null} */ (this.#panel.querySelector('h2'))?.focus();
  }
}
