// @ts-check
/**
 * Ways to the log-in page and back, for what only members can do.
 * Not for: who is logged in (session.js).
 */

import { ApiError } from './api.js';
import { show } from './dom.js';
import { session } from './session.js';
import { errorState } from './states.js';

/** Goes to the log-in page, which leads back here. */
export function goToLogin() {
  location.assign(`/login.html?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/**
 * Goes to the log-in page if the server says that the log-in has ended.
 * @param {unknown} error
 * @returns {boolean} whether it did
 */
export function loginRequired(error) {
  if (!(error instanceof ApiError) || error.status !== 401) return false;
  session.loggedOut();
  goToLogin();
  return true;
}

/**
 * For pages of members only: goes to the log-in page if nobody is logged in.
 * @returns {Promise<boolean>} whether the page may go on
 */
export async function membersOnly() {
  await session.ready;
  if (session.user) return true;
  // No hint that someone is logged in, or a first visit with a cookie: ask the server once.
  await session.refresh();
  if (session.failure) show(errorState(session.failure, () => location.reload()));
  else if (!session.user) goToLogin();
  return Boolean(session.user);
}
