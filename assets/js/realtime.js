// @ts-check
/**
 * The page's one connection to /ws: tells the server which page this is, and resumes where the last page
 * of this tab left off. Each tab has its own, because the server counts viewers by page.
 * Not for: the protocol and its reconnects (../widget/connection.js).
 */

import { Connection } from '../widget/connection.js';
import { session } from './session.js';

/**
 * @import { Goods } from './api.js'
 *
 * @typedef {{action: 'create' | 'update' | 'delete', goods: Goods}} GoodsChange
 */

const STORAGE_KEY = 'shopbell.last';
/** A tab that was away for longer starts with what is new when it is back. */
const RESUME_WITHIN_MS = 60_000;

export const realtime = new Connection({ after: savedOffset() });

/** People on this page, including the reader; null before the server told. @type {number | null} */
let viewers = null;

realtime.addEventListener('hello', () => {
  session.checkAgainst(realtime.hello?.user ?? null);
  realtime.send('CHANGED_PAGE', location.pathname + location.search);
});
realtime.addEventListener('SAME_PAGE_VIEWER_COUNT', (event) => {
  const count = Number(/** @type {CustomEvent} */ (event).detail);
  if (Number.isFinite(count)) viewers = count;
});
addEventListener('pagehide', saveOffset);

/**
 * Calls back with the number of people on this page, now if known and whenever it changes.
 * @param {(count: number) => void} callback
 */
export function onViewers(callback) {
  const tell = () => { if (viewers !== null) callback(viewers); };
  tell();
  realtime.addEventListener('SAME_PAGE_VIEWER_COUNT', tell);
}

/**
 * Calls back whenever goods are created, changed or deleted.
 * @param {(change: GoodsChange) => void} callback
 */
export function onGoods(callback) {
  realtime.addEventListener('goods', (event) => {
    const change = /** @type {CustomEvent} */ (event).detail;
    if (change?.goods?.goodsId !== undefined) callback(change);
  });
}

/** Opens a new connection: after a log-in or log-out the old one is still someone else's. */
export function reconnect() {
  realtime.close();
  realtime.open();
}

function saveOffset() {
  if (realtime.lastId === null) return;
  try { sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ id: realtime.lastId, at: Date.now() })); } catch { /* no resume then */ }
}

/** @returns {number | null} */
function savedOffset() {
  try {
    const { id, at } = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? '{}');
    return Number.isInteger(id) && Date.now() - at < RESUME_WITHIN_MS ? id : null;
  } catch { return null; }
}
