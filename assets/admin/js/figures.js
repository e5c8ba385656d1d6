// @ts-check
/**
 * The shop's figures, once a second over the page's connection; asked for over HTTP where that does not bring them.
 * Not for: how they are drawn.
 *
 * @typedef {object} Figures
 * @property {string} time RFC 3339
 * @property {number} uptimeSeconds
 * @property {{total: number, members: number, guests: number, byTransport: Record<string, number>}} sessions
 * @property {number} lagging sessions that are fed from the log
 * @property {{perMinute: number[], today: number, total: number}} orders `perMinute`: 60 numbers, the oldest first
 * @property {{delivered: number, perSecond: number}} alerts
 * @property {{boundsMs: number[], counts: number[]}} latency from the commit of an order to its alert's write, since the start
 * @property {{total: number, perSecond: number, byCode: Record<string, number>}} refusals
 * @property {{shown: number, clicked: number, closed: number}} widget today
 */

import { ApiError } from '../../js/api.js';
import { loginRequired } from '../../js/login-required.js';
import { realtime } from '../../js/realtime.js';
import { admin } from './api.js';

/** Without figures for so long they are asked for. */
const SILENT_MS = 4_000;
const ASK_EVERY_MS = 5_000;

/**
 * @param {(figures: Figures) => void} tell
 * @param {(error: unknown) => void} fail they cannot be had now; tried again
 */
export function watchFigures(tell, fail) {
  let heardAt = 0;
  realtime.addEventListener('hello', () => realtime.send('WATCH_FIGURES', true));
  realtime.addEventListener('FIGURES', (event) => {
    heardAt = performance.now();
    tell(/** @type {CustomEvent} */ (event).detail);
  });
  const ask = async () => {
    if (performance.now() - heardAt < SILENT_MS && heardAt > 0) return;
    try {
      tell(await admin.figures());
    } catch (error) {
      if (loginRequired(error)) return;
      fail(error);
      // A server that has none will not have them later.
      if (error instanceof ApiError && error.status === 404) clearInterval(timer);
    }
  };
  const timer = setInterval(() => { if (!document.hidden) ask(); }, ASK_EVERY_MS);
  ask();
}
