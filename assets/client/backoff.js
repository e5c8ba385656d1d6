// @ts-check
/**
 * When to reconnect after a close.
 * Not for: doing it (connection.js).
 */

export const FIRST_DELAY_MS = 500;
export const MAX_DELAY_MS = 30_000;
/** For who was never let in: a browser does not say why, and what it is will hardly pass by itself. */
export const NEVER_HEARD_MAX_MS = 600_000;

/** Close codes that decide how to reconnect. */
export const CLOSE = { goingAway: 1001, policy: 1008, sessionEnded: 4001, tooSlow: 4008 };

/**
 * Exponential backoff with full jitter: anything from 0 to the cap, so that the clients of a
 * restarted server don't all return at the same moment.
 * @param {number} attempt 0 for the first retry
 * @param {() => number} [random]
 * @param {number} [most] the cap, ms
 * @returns {number} milliseconds
 */
export function backoff(attempt, random = Math.random, most = MAX_DELAY_MS) {
  return random() * Math.min(most, FIRST_DELAY_MS * 2 ** attempt);
}

/**
 * How long to wait before the next try, or null for never.
 * @param {number} code close code
 * @param {string} reason of a 1001 names the delay in milliseconds, bare or in JSON
 * @param {number} attempt how many closes there were since a stable connection
 * @param {() => number} [random]
 * @param {number} [most] the longest wait that nobody has named, ms
 * @returns {number | null}
 */
export function delayAfterClose(code, reason, attempt, random, most) {
  if (code === CLOSE.sessionEnded || code === CLOSE.policy) return null;
  const named = code === CLOSE.goingAway ? /\d+/.exec(reason) : null;
  if (code !== CLOSE.tooSlow && !named) return backoff(attempt, random, most);
  // A repeated close without a stable connection in between backs off, whatever the server suggests.
  const penalty = attempt > 0 ? backoff(attempt, random, most) : 0;
  return Math.min(Number(named ?? 0), MAX_DELAY_MS) + penalty;
}
