/**
 * The page's one connection to /ws: says which page this is, resumes where the last page
 * of this tab left off. Each tab has its own, because the server counts viewers by page.
 * Not for: the protocol and its reconnects (../widget/connection.js).
 */

import { Connection } from '../widget/connection.js';
import { session } from './session.js';

const LAST = 'shopbell.last';
/** A tab that comes back later than this starts with what is new then. */
const RESUME_WITHIN_MS = 60_000;

export const realtime = new Connection({ after: lastOfThisTab() });

/** People on this page, oneself included; null before the server told. @type {number | null} */
export let viewers = null;

realtime.addEventListener('hello', (event) => {
  const { user } = /** @type {CustomEvent} */ (event).detail ?? {};
  session.heard(user ?? null);
  realtime.send('CHANGED_PAGE', location.pathname + location.search);
});
realtime.addEventListener('SAME_PAGE_VIEWER_COUNT', (event) => {
  const count = Number(/** @type {CustomEvent} */ (event).detail);
  if (Number.isFinite(count)) viewers = count;
});
addEventListener('pagehide', remember);

/** Calls back with the number of people on this page, now and whenever it changes. */
export function onViewers(/** @type {(count: number) => void} */ tell) {
  if (viewers !== null) tell(viewers);
  realtime.addEventListener('SAME_PAGE_VIEWER_COUNT', () => { if (viewers !== null) tell(viewers); });
}

/** @param {(change: {action: string, goods: any}) => void} tell */
export function onGoods(tell) {
  realtime.addEventListener('goods', (event) => {
    const change = /** @type {CustomEvent} */ (event).detail;
    if (change?.goods?.goodsId !== undefined) tell(change);
  });
}

/** After a log-in or log-out the old handshake's identity no longer holds. */
export function reconnect() {
  realtime.close();
  realtime.open();
}

function remember() {
  if (realtime.lastId === null) return;
  try { sessionStorage.setItem(LAST, JSON.stringify({ id: realtime.lastId, at: Date.now() })); } catch { /* no resume then */ }
}

function lastOfThisTab() {
  try {
    const { id, at } = JSON.parse(sessionStorage.getItem(LAST) ?? '{}');
    return Number.isInteger(id) && Date.now() - at < RESUME_WITHIN_MS ? id : null;
  } catch { return null; }
}
