// @ts-check
/**
 * Listeners and timers that all end with one signal. Not for: what they do.
 */

/**
 * @param {EventTarget} target
 * @param {AbortSignal | undefined} signal ends them
 * @param {Record<string, (event: any) => void>} listeners by the type of event
 */
export function listen(target, signal, listeners) {
  for (const type in listeners) target.addEventListener(type, listeners[type], { signal });
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal ends it
 * @param {() => void} then
 */
export function every(ms, signal, then) {
  const timer = setInterval(then, ms);
  signal.addEventListener('abort', () => clearInterval(timer));
}
