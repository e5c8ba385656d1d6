// @ts-check
/**
 * The idempotency key of one checkout: kept over retries and reloads, so that a lost answer
 * never becomes a second order; forgotten when the order is placed or the cart changes.
 * Not for: sending the order (pages/order.js).
 *
 * @typedef {{key: string, fingerprint: string, at: number}} Checkout `at`: epoch ms
 */

import { uuid } from '../client/uuid.js';

const STORAGE_KEY = 'shopbell.attempt';
/** A repeat after this is meant as a new order. */
const MAX_AGE_MS = 30 * 60_000;

/** Where session storage is closed to scripts. @type {Checkout | null} */
let inMemory = null;

/**
 * The key for what is being ordered: the same one until it changes or grows old.
 * @param {string} fingerprint of the order
 * @returns {string}
 */
export function checkoutKey(fingerprint) {
  const kept = read();
  if (kept && kept.fingerprint === fingerprint && Date.now() - kept.at < MAX_AGE_MS) return kept.key;
  const checkout = { key: uuid(), fingerprint, at: Date.now() };
  try { sessionStorage.setItem(STORAGE_KEY, JSON.stringify(checkout)); } catch { inMemory = checkout; }
  return checkout.key;
}

export function forgetCheckoutKey() {
  inMemory = null;
  try { sessionStorage.removeItem(STORAGE_KEY); } catch { /* it was in memory only */ }
}

/** @returns {Checkout | null} */
function read() {
  try { return JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? 'null') ?? inMemory; } catch { return inMemory; }
}
