// @ts-check
/**
 * Keeps all tabs from asking who is logged in while the cookie is being replaced: the server would take the new cookie away
 * with its answer to the old one.
 * Not for: the credentials themselves, which no script sees.
 */

import { exclusively, released } from './locks.js';

const LOCK = 'shopbell.credentials';

/**
 * Does what gives this browser other credentials.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export const changingCredentials = (work) => exclusively(LOCK, work);

/** Waits until no tab changes them. */
export const settledCredentials = () => released(LOCK);
