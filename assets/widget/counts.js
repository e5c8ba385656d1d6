// @ts-check
/**
 * How often toasts were shown, clicked and closed, told to the shop as three numbers: no cookie, nothing of the reader.
 * At most every 30 s, and when the page goes.
 */

import { listen } from '../client/listen.js';

/** @typedef {'shown' | 'clicked' | 'closed'} What */

const EVERY_MS = 30_000;

/**
 * @param {URL} address where to
 * @param {AbortSignal} signal ends it
 * @returns {(what: What) => void}
 */
export function counter(address, signal) {
  /** @type {Record<string, any>} */
  let counts = {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const tell = () => {
    // What is lost is lost.
    if (timer) navigator.sendBeacon(address, new URLSearchParams(counts));
    clearTimeout(timer);
    timer = undefined;
    counts = {};
  };
  listen(globalThis, signal, { pagehide: tell });
  signal.addEventListener('abort', tell);
  return (what) => {
    counts[what] = (counts[what] ?? 0) + 1;
    timer ??= setTimeout(tell, EVERY_MS);
  };
}
