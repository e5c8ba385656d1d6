// @ts-check
/**
 * What a member whose log-in had ended wanted to put into the cart. It is carried out once, in this tab, when that member
 * logs in next.
 * Not for: putting it there (session.js), nor for guests, who have a cart of their own (guest-cart.js).
 *
 * @typedef {object} Intent
 * @property {number} goodsId
 * @property {number} quantity
 * @property {number} userId of the member who wanted it
 */

const STORAGE_KEY = 'shopbell.intent';
/** Afterwards somebody else may sit there. */
const MAX_AGE_MS = 30 * 60_000;

/** @param {Intent} intent */
export function keepIntent(intent) {
  try { sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ ...intent, at: Date.now() })); } catch { /* it has to be done again */ }
}

/**
 * What is to be done for a member. It is forgotten at once, so that it is not done twice.
 * @param {number} userId
 * @returns {Intent | null}
 */
export function takeIntent(userId) {
  const intent = read();
  forgetIntent();
  return intent?.userId === userId ? intent : null;
}

export function forgetIntent() {
  try { sessionStorage.removeItem(STORAGE_KEY); } catch { /* then nothing was kept either */ }
}

/** @returns {Intent | null} */
function read() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? 'null');
    const isFresh = kept && Number.isInteger(kept.goodsId) && Number.isInteger(kept.quantity) && Math.abs(Date.now() - kept.at) < MAX_AGE_MS;
    return isFresh ? kept : null;
  } catch { return null; }
}
