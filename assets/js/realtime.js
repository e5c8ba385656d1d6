// @ts-check
/**
 * The page's one connection to /ws: tells the server which page this is, and resumes where the last page
 * of this tab left off. Each tab has its own, because the server counts viewers by page.
 * Not for: the protocol and its reconnects (../client/).
 */

import { Client } from '../client/client.js';
import { session } from './session.js';

/**
 * @import { Goods } from './api.js'
 *
 * @typedef {{action: 'create' | 'update' | 'delete', goods: Goods}} GoodsChange
 */

const STORAGE_KEY = 'shopbell.last';
/** How many of one's own orders are remembered. */
const MAX_OWN = 20;
/** A tab that was away for longer starts with what is new when it is back. */
const RESUME_WITHIN_MS = 60_000;

const saved = savedPosition();
/** Offsets of one's own orders: the next page of this tab may hear their alerts. */
let own = saved.own;

export const realtime = new Client({ after: saved.id, epoch: saved.epoch });

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
realtime.addEventListener('ORDER', (event) => {
  const { id } = /** @type {CustomEvent} */ (event).detail ?? {};
  if (Number.isInteger(id)) own = [...own.filter((known) => known !== id), id].slice(-MAX_OWN);
});
session.addEventListener('user', () => { if (session.known && !session.user) own = []; });
addEventListener('pagehide', savePosition);

/**
 * Tells which alert is of an order of one's own, as the server's `ORDER` does: the answer to a request may be quicker.
 * @param {number | null | undefined} id the alert's offset, if there is one
 */
export function tellOwn(id) {
  realtime.dispatchEvent(new CustomEvent('ORDER', { detail: { id, own: true } }));
}

/** Tells what the pages before knew to a listener that comes later. */
export function tellSavedOwn() { own.forEach(tellOwn); }

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

function savePosition() {
  if (realtime.lastId === null) return;
  const position = { id: realtime.lastId, epoch: realtime.epoch, own, at: Date.now() };
  try { sessionStorage.setItem(STORAGE_KEY, JSON.stringify(position)); } catch { /* no resume then */ }
}

/** @returns {{id: number | null, epoch: string | null, own: number[]}} */
function savedPosition() {
  try {
    const { id, epoch, own, at } = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? '{}');
    if (Number.isInteger(id) && Date.now() - at < RESUME_WITHIN_MS) return { id, epoch: epoch ?? null, own: own ?? [] };
  } catch { /* not readable: nothing to resume */ }
  return { id: null, epoch: null, own: [] };
}
