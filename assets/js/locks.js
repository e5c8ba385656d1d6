// @ts-check
/**
 * One at a time, over all tabs of this browser.
 * Not for: what is done then.
 */

/** What is under way in this tab, where pages have no locks (plain HTTP on a network). @type {Map<string, Promise<unknown>>} */
const underWay = new Map();

/**
 * Does `work` when nobody else holds the lock.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export function exclusively(name, work) {
  if (navigator.locks) return navigator.locks.request(name, work);
  const done = (underWay.get(name) ?? Promise.resolve()).then(work);
  underWay.set(name, done.catch(() => {}));
  return done;
}

/**
 * Waits until nobody holds the lock.
 * @param {string} name
 * @returns {Promise<unknown>}
 */
export function released(name) {
  return navigator.locks ? navigator.locks.request(name, { mode: 'shared' }, () => {}) : underWay.get(name) ?? Promise.resolve();
}
