/**
 * The idempotency key of one checkout: kept over retries and reloads, so that a lost answer
 * never becomes a second order; forgotten when the order stands or the cart changes.
 * Not for: sending the order (pages/order.js).
 */

const KEPT = 'shopbell.attempt';
/** Past this a repeat is meant as a new order. */
const MAX_AGE_MS = 30 * 60_000;

/** RFC 9562 version 4; `randomUUID` exists in secure contexts only. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** @param {string} what fingerprint of what is being ordered @returns {string} the key */
export function keyFor(what) {
  const kept = read();
  if (kept && kept.what === what && Date.now() - kept.at < MAX_AGE_MS) return kept.key;
  const attempt = { key: uuid(), what, at: Date.now() };
  try { sessionStorage.setItem(KEPT, JSON.stringify(attempt)); } catch { memory = attempt; }
  return attempt.key;
}

export function forgetAttempt() {
  memory = null;
  try { sessionStorage.removeItem(KEPT); } catch { /* it was in memory only */ }
}

/** @type {{key: string, what: string, at: number} | null} */
let memory = null;

function read() {
  try { return JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') ?? memory; } catch { return memory; }
}
