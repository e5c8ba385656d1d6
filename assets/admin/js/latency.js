// @ts-check
/**
 * The time from an order's commit to the socket, of the last minute: the server counts since its start, the difference to a
 * minute ago is what is new.
 * Not for: the drawing (chart.js).
 *
 * @import { Figures } from './figures.js'
 */

const WINDOW_MS = 60_000;

export class LatencyWindow {
  /** The oldest first. @type {{at: number, counts: number[]}[]} */ #kept = [];

  /**
   * @param {Figures['latency']} latency
   * @param {number} at ms
   * @returns {{counts: number[], recent: boolean}} `recent`: of the last minute; else since the start
   */
  take({ counts }, at) {
    // A server that was started again counts from nothing.
    if (this.#kept.some((kept) => kept.counts.length !== counts.length || kept.counts.some((count, index) => count > counts[index]))) this.#kept = [];
    this.#kept.push({ at, counts });
    while (this.#kept.length > 2 && this.#kept[1].at <= at - WINDOW_MS) this.#kept.shift();
    const recent = counts.map((count, index) => count - this.#kept[0].counts[index]);
    return recent.some((count) => count > 0) ? { counts: recent, recent: true } : { counts, recent: false };
  }
}

/**
 * The bound below which a part of all are; null when it is beyond the last bound, or there are none.
 * @param {number[]} boundsMs
 * @param {number[]} counts
 * @param {number} part 0 to 1
 */
export function quantile(boundsMs, counts, part) {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    below += count;
    if (below >= all * part) return boundsMs[index] ?? null;
  }
  return null;
}
