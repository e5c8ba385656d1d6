// @ts-check
/**
 * Keeps all tabs from asking who is logged in while the cookie is being replaced: the server would take the new cookie away
 * with its answer to the old one.
 * Not for: the credentials themselves, which no script sees.
 */

import { exclusively } from './locks.js';

const LOCK = 'shopbell.credentials';

/** The last change in this tab, where pages have no locks. @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * Does what gives this browser other credentials.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export function changingCredentials(work) {
  const done = exclusively(LOCK, work);
  last = done.catch(() => {});
  return done;
}

/** Waits until no tab changes them. @returns {Promise<unknown>} */
export function settledCredentials() {
  return navigator.locks ? navigator.locks.request(LOCK, { mode: 'shared' }, () => {}) : last;
}
