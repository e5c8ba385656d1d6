// @ts-check
/**
 * <site-footer>: where else to go, and a promise.
 * Not for: anything that changes while the page is open, or registering itself (../shell.js).
 */

import { el } from '../dom.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';

export class SiteFooter extends HTMLElement {
  connectedCallback() {
    this.replaceChildren(el('div', { class: 'footer-bar wrap' },
      el('div', { class: 'footer-words' },
        el('p', { class: 'footer-name' }, icon('bell'), t('site.name')),
        el('p', {}, t('site.tagline')),
        el('p', {}, t('footer.note'))),
      el('ul', { class: 'footer-links', role: 'list' },
        ...[['/goods.html', 'nav.catalog'], ['/orders.html', 'nav.orders'], ['/cart.html', 'nav.cart'], ['/account.html', 'nav.account'], ['/docs', 'nav.docs']]
          .map(([href, key]) => el('li', {}, el('a', { href }, t(key)))))));
  }

  disconnectedCallback() { this.replaceChildren(); }
}
