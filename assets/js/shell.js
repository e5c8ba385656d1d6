// @ts-check
/**
 * What every page does first: header, footer, connection, toasts.
 * Not for: any one page's content (pages/), nor the document around it (../layout.html).
 */

import { watchCart } from './cart-watch.js';
import { el } from './dom.js';
import { NewsBell } from './elements/news-bell.js';
import { SiteFooter } from './elements/site-footer.js';
import { SiteHeader } from './elements/site-header.js';
import { lang, t } from './i18n.js';
import { news } from './news.js';
import { realtime, reconnect, tellSavedOwn } from './realtime.js';
import { session } from './session.js';
import { errorMessage, notice, noticeThatStays, showKeptNotice } from './states.js';
import { ShopbellToasts } from '../widget/shopbell-toasts.js';

/** The close code of a revoked or expired log-in. */
const SESSION_ENDED = 4001;

/** @param {string} title the page's own, in the reader's language; the site's when empty */
export function startPage(title) {
  document.title = title ? `${title} · ${t('site.name')}` : `${t('site.name')} – ${t('site.tagline')}`;
  customElements.define('news-bell', NewsBell);
  customElements.define('site-header', SiteHeader);
  customElements.define('site-footer', SiteFooter);
  const element = toasts();
  const place = () => news.toasts ? document.body.append(element) : element.remove();
  news.addEventListener('toasts', place);
  place();
  element.source = realtime;
  tellSavedOwn();
  realtime.open();
  session.addEventListener('user', reconnectAsUser);
  watchCart();
  session.addEventListener('intent', (event) => tellIntent(/** @type {CustomEvent} */ (event).detail.error));
  showKeptNotice();
  realtime.addEventListener('state', (event) => {
    if (/** @type {CustomEvent} */ (event).detail.code === SESSION_ENDED) tellLoggedOut();
  });
  addEventListener('offline', () => addEventListener('online', () => notice(t('offline.back')), { once: true }));
}

function toasts() {
  // On a phone three toasts would cover half of the page.
  const narrow = matchMedia('(max-width: 30rem)').matches;
  const element = /** @type {ShopbellToasts} */ (el('shopbell-toasts', { lang, atOnce: narrow ? 2 : null }));
  return element;
}

/** Another tab may have logged in or out: the connection here is then someone else's. */
function reconnectAsUser() {
  const nickname = session.user?.nickname;
  // Stopped by the end of a log-in: only another log-in opens it again.
  if (realtime.state === 'stopped') {
    if (nickname) reconnect();
  } else if (realtime.hello && nickname !== realtime.hello.user?.nickname) reconnect();
}

/** @param {unknown} error why what was wanted before the log-in could not be done, if so */
function tellIntent(error) {
  if (error) noticeThatStays(errorMessage(error));
  else noticeThatStays(t('detail.added'), { href: '/cart.html', text: t('detail.see-cart') });
}

async function tellLoggedOut() {
  if (session.user) await session.refresh();
  if (!session.user) notice(t('session.ended'), { href: '/login.html', text: t('nav.login') });
}
