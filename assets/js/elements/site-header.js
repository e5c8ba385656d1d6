// @ts-check
/**
 * <site-header>: name, navigation, language, the bell, account and cart with its badge.
 * Not for: knowing who is logged in (../session.js) or registering itself (../shell.js).
 */

import { el } from '../dom.js';
import { LANGUAGES, lang, switchLanguage, t, tn } from '../i18n.js';
import { icon } from '../icons.js';
import { session } from '../session.js';

export class SiteHeader extends HTMLElement {
  /** Aborted on disconnect. @type {AbortController | null} */ #connected = null;

  connectedCallback() {
    this.#connected = new AbortController();
    const { signal } = this.#connected;
    this.replaceChildren(
      el('a', { class: 'skip-link', href: '#main' }, t('skip')),
      el('div', { class: 'header-bar wrap' },
        el('a', { class: 'wordmark', href: '/', aria: { label: t('site.name') } }, icon('bell'), el('span', {}, t('site.name'))),
        el('nav', { class: 'header-nav', aria: { label: t('nav.main') } },
          link('/', 'nav.shop', ['/', '/index']),
          link('/goods.html', 'nav.catalog', ['/goods', '/detail']),
          link('/orders.html', 'nav.orders', ['/orders'])),
        el('div', { class: 'header-tools' }, languageSwitch(), controlRoomLink(), el('news-bell'), this.#accountLink(), this.#cartLink())),
      el('p', { class: 'offline-note', role: 'status' }),
    );
    session.addEventListener('user', () => this.#showUser(), { signal });
    session.addEventListener('cart', () => this.#showCart(), { signal });
    addEventListener('online', () => this.#showOnline(), { signal });
    addEventListener('offline', () => this.#showOnline(), { signal });
    this.#showUser();
    this.#showCart();
    this.#showOnline();
  }

  disconnectedCallback() {
    this.#connected?.abort();
    this.#connected = null;
    this.replaceChildren();
  }

  #accountLink() {
    return el('a', { class: 'header-account', href: '/login.html' },
      icon('user'), el('span', { class: 'header-account-text' }));
  }

  #cartLink() {
    // Its name is text of its own: a label that lacks the number shown ("99+", "2개") would not do.
    return el('a', { class: 'header-cart', href: '/cart.html' }, icon('bag'), el('span', { class: 'header-cart-text visually-hidden' }),
      el('span', { class: 'badge-count', data: { role: 'cart-count' }, hidden: true, aria: { hidden: 'true' } }, '0'));
  }

  #showUser() {
    const anchor = /** @type {HTMLAnchorElement} */ (this.querySelector('.header-account'));
    const text = /** @type {HTMLElement} */ (this.querySelector('.header-account-text'));
    const { user } = session;
    const room = /** @type {HTMLElement} */ (this.querySelector('.header-admin'));
    room.hidden = user?.role !== 'admin';
    anchor.href = user ? '/account.html' : `/login.html${returnTo()}`;
    anchor.classList.toggle('is-member', Boolean(user));
    anchor.setAttribute('aria-label', user ? `${t('nav.account')}: ${user.nickname}` : t('nav.login'));
    // Empty until it is known who is logged in, so that members don't see "Log in" flash by.
    text.textContent = user ? user.nickname : session.known ? t('nav.login') : '';
    if (user) text.dataset.role = 'account-nickname';
    else delete text.dataset.role;
  }

  #showCart() {
    const count = session.cartCount;
    const badge = /** @type {HTMLElement} */ (this.querySelector('.badge-count'));
    badge.hidden = count === 0;
    badge.textContent = count > 99 ? '99+' : String(count);
    const text = /** @type {HTMLElement} */ (this.querySelector('.header-cart-text'));
    text.textContent = count ? tn('cart.count', count) : t('nav.cart');
  }

  #showOnline() {
    const note = /** @type {HTMLElement} */ (this.querySelector('.offline-note'));
    note.textContent = navigator.onLine ? '' : t('offline');
  }
}

/**
 * @param {string} href
 * @param {string} key of its message
 * @param {string[]} paths the pages on which it is the current one
 */
function link(href, key, paths) {
  const here = paths.includes(location.pathname.replace(/\.html$/, ''));
  return el('a', { href, ...(here ? { 'aria-current': 'page' } : {}) }, t(key));
}

/** For admins alone; the pages behind it ask the server again. */
function controlRoomLink() {
  return el('a', { class: 'header-admin', href: '/admin', hidden: true, aria: { label: t('nav.admin') } }, icon('gauge'), el('span', {}, t('nav.admin')));
}

/** A button with the name of the other language, in that language. */
function languageSwitch() {
  const other = LANGUAGES.find(({ code }) => code !== lang) ?? LANGUAGES[0];
  return el('button', {
    type: 'button', class: 'header-language', lang: other.code, data: { action: 'switch-language' },
    aria: { label: `${t('nav.language')}: ${other.name}` },
    on: { click: () => switchLanguage(other.code) },
  }, icon('globe'), el('span', {}, other.name));
}

/** The query that leads back here after a log-in; none from pages that nobody wants to return to. */
function returnTo() {
  const { pathname, search } = location;
  const away = /^\/(login|register|404|$)/.test(pathname.replace(/^\/index(\.html)?$/, '/'));
  return away ? '' : `?next=${encodeURIComponent(pathname + search)}`;
}
