// @ts-check
/**
 * Stops the timers of toasts while the reader looks at one, or cannot see them.
 * Not for: swipes, which view.js reports, or what a pause does (store.js).
 */

/** @import { PauseReason, ToastStore } from './store.js' */

/**
 * @param {ToastStore} store
 * @param {HTMLElement} region holds the toasts
 * @param {AbortSignal} signal ends it
 */
export function pauseOnAttention(store, region, signal) {
  /**
   * @param {PauseReason} reason
   * @param {boolean} on
   */
  const set = (reason, on) => on ? store.pause(reason) : store.resume(reason);
  const onModal = () => set('modal', document.querySelector('dialog:modal') !== null);

  region.addEventListener('pointerenter', () => set('hover', true), { signal });
  region.addEventListener('pointerleave', () => set('hover', false), { signal });
  // Keyboard focus only: a click into a toast focuses the region too, and must not stop the timers for good.
  region.addEventListener('focusin', (event) => {
    set('focus', /** @type {Element} */ (event.target).matches(':focus-visible'));
  }, { signal });
  document.addEventListener('visibilitychange', () => set('hidden', document.hidden), { signal });
  addEventListener('blur', () => set('blur', true), { signal });
  addEventListener('focus', () => set('blur', false), { signal });
  const observer = new MutationObserver(onModal);
  observer.observe(document, { subtree: true, childList: true, attributeFilter: ['open'] });
  signal.addEventListener('abort', () => observer.disconnect());

  set('hidden', document.hidden);
  onModal();
}
