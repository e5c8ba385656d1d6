/**
 * What every page does first: header, footer, connection, toasts.
 * Not for: any one page's content (pages/).
 */

import { SiteFooter } from './elements/site-footer.js';
import { SiteHeader } from './elements/site-header.js';
import { QuantityStepper } from './elements/quantity-stepper.js';
import { el } from './dom.js';
import { lang, t } from './i18n.js';
import { messageOf, notice, noticeOnNextPage, showKeptNotice } from './states.js';
import { realtime, reconnect, tellOwn } from './realtime.js';
import { session } from './session.js';
import '../widget/shopbell-toasts.js';

/** The close code of a revoked or expired session. */
const SESSION_ENDED = 4001;

/** @param {string} title the page's own, already in the reader's language */
export function startPage(title) {
  document.title = title ? `${title} · ${t('site.name')}` : `${t('site.name')} – ${t('site.tagline')}`;
  customElements.define('quantity-stepper', QuantityStepper);
  customElements.define('site-header', SiteHeader);
  customElements.define('site-footer', SiteFooter);
  // On a phone three toasts would cover half of the page.
  const narrow = matchMedia('(max-width: 30rem)').matches;
  const toasts = /** @type {any} */ (el('shopbell-toasts', { lang, max: narrow ? 2 : null }));
  document.body.append(toasts);
  toasts.source = realtime;
  tellOwn();
  realtime.open();
  // Another tab logged in or out: this tab's handshake is now someone else's.
  // After a 4001 (stopped) only a log-in opens it again.
  session.addEventListener('user', () => {
    const now = session.user?.nickname;
    if (realtime.state === 'stopped' ? Boolean(now) : realtime.hello && now !== realtime.hello.user?.nickname) reconnect();
  });
  realtime.addEventListener('state', async (event) => {
    if (/** @type {CustomEvent} */ (event).detail.code !== SESSION_ENDED) return;
    if (session.user) await session.check();
    if (!session.user) notice(t('session.ended'), { href: '/login.html', text: t('nav.login') });
  });
  session.addEventListener('carried', (event) => {
    const { error } = /** @type {CustomEvent} */ (event).detail;
    // The pages that log in go on to another at once.
    const tell = /^\/(login|register)(\.html)?$/.test(location.pathname) ? noticeOnNextPage : notice;
    if (error) tell(messageOf(error));
    else tell(t('detail.added'), { href: '/cart.html', text: t('detail.see-cart') });
  });
  showKeptNotice();
  addEventListener('offline', () => addEventListener('online', () => notice(t('offline.back')), { once: true }));
}
