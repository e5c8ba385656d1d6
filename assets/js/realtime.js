/**
 * The page's one connection to /ws: says which page this is, resumes where the last page
 * of this tab left off, and which of the alerts to come are of one's own orders. Each tab has its own, because the server counts viewers by page.
 * Not for: the protocol and its reconnects (../widget/connection.js).
 */

import { Connection } from '../widget/connection.js';
import { session } from './session.js';

const LAST = 'shopbell.last';
/** A tab that comes back later than this starts with what is new then. */
const RESUME_WITHIN_MS = 60_000;

const MAX_OWN = 20;

const kept = lastOfThisTab();
/** Offsets of one's own orders; the next page of this tab may hear their alerts. @type {number[]} */
let own = kept.own;

export const realtime = new Connection({ after: kept.id, epoch: kept.epoch });

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
realtime.addEventListener('ORDER', (event) => {
  const { id } = /** @type {CustomEvent} */ (event).detail ?? {};
  if (Number.isInteger(id)) own = [...own.filter((known) => known !== id), id].slice(-MAX_OWN);
});
session.addEventListener('user', () => { if (session.known && !session.user) own = []; });
addEventListener('pagehide', remember);

/**
 * Says which alert is of an order that this page has placed: the answer may be quicker than the socket, or come instead.
 * @param {number | null | undefined} id the alert's offset, if there is one
 */
export function isOwn(id) {
  realtime.dispatchEvent(new CustomEvent('ORDER', { detail: { id, own: true } }));
}

/** Tells a listener that comes late what the pages before knew. */
export function tellOwn() { for (const id of own) isOwn(id); }

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
  try { sessionStorage.setItem(LAST, JSON.stringify({ id: realtime.lastId, epoch: realtime.epoch, own, at: Date.now() })); } catch { /* no resume then */ }
}

/** @returns {{id: number | null, epoch: string | null, own: number[]}} */
function lastOfThisTab() {
  try {
    const { id, epoch, at, own } = JSON.parse(sessionStorage.getItem(LAST) ?? '{}');
    if (Number.isInteger(id) && Date.now() - at < RESUME_WITHIN_MS) {
      return { id, epoch: typeof epoch === 'string' ? epoch : null, own: Array.isArray(own) ? own : [] };
    }
  } catch { /* nothing that could be read */ }
  return { id: null, epoch: null, own: [] };
}
