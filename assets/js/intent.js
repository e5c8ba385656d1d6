/**
 * What a guest wanted to put into a cart, kept over the log-in: carried out once, in this tab, for whoever logs in next;
 * when it was a member whose log-in had ended, for that member alone.
 * Not for: putting it there (session.js).
 */

const KEPT = 'shopbell.intent';
/** Past this it is forgotten: another person may sit there by then. */
const MAX_AGE_MS = 30 * 60_000;

/** @param {{goodsId: number, quantity: number, userId: number | null}} wanted `userId`: of the member who wanted it, if any */
export function keepIntent(wanted) {
  try { sessionStorage.setItem(KEPT, JSON.stringify({ ...wanted, at: Date.now() })); } catch { /* it has to be said again */ }
}

/** @param {number} userId who is here now @returns {{goodsId: number, quantity: number} | null} what to do, only once */
export function takeIntent(userId) {
  const wanted = read();
  forgetIntent();
  return wanted && (wanted.userId ?? userId) === userId ? wanted : null;
}

export function forgetIntent() {
  try { sessionStorage.removeItem(KEPT); } catch { /* then nothing was kept either */ }
}

function read() {
  try {
    const wanted = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
    const fresh = wanted && Number.isInteger(wanted.goodsId) && Number.isInteger(wanted.quantity) && Math.abs(Date.now() - wanted.at) < MAX_AGE_MS;
    return fresh ? wanted : null;
  } catch { return null; }
}
