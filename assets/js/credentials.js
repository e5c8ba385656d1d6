// @ts-check
/**
 * Keeps all tabs from asking who is logged in while the cookie is being replaced: the server would take the new cookie away
 * with its answer to the old one.
 * Not for: the credentials themselves, which no script sees.
 */

const LOCK = 'shopbell.credentials';

/** The last change in this tab, where pages have no locks (plain HTTP on a network). @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * Does what gives this browser other credentials.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export function changingCredentials(work) {
  if (navigator.locks) return navigator.locks.request(LOCK, work);
  const done = work();
  last = done.catch(() => {});
  return done;
}

/** Waits until no tab changes them. @returns {Promise<unknown>} */
export function settledCredentials() {
  return navigator.locks ? navigator.locks.request(LOCK, { mode: 'shared' }, () => {}) : last;
}
