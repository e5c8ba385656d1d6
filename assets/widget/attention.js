// @ts-check
/**
 * Stops the timers of toasts while the reader looks at one, or cannot see them.
 * Not for: swipes, which swipe.js reports, or what a pause does (store.js).
 */

import { listen } from '../client/listen.js';

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
  const onModal = () => set('modal', !!document.querySelector('dialog:modal'));
  const onHidden = () => set('hidden', document.hidden);

  listen(region, signal, {
    pointerenter: () => set('hover', true),
    pointerleave: () => set('hover', false),
    // Keyboard focus only: a click into a toast focuses the region too, and must not stop the timers for good.
    focusin: ({ target }) => set('focus', target.matches(':focus-visible')),
    focusout: ({ relatedTarget }) => { if (!region.contains(relatedTarget)) set('focus', false); },
  });
  listen(document, signal, { visibilitychange: onHidden });
  listen(globalThis, signal, { blur: () => set('blur', true), focus: () => set('blur', false) });
  const observer = new MutationObserver(onModal);
  observer.observe(document, { subtree: true, childList: true, attributeFilter: ['open'] });
  signal.addEventListener('abort', () => observer.disconnect());

  onHidden();
  onModal();
}
