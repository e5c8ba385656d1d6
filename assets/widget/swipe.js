// @ts-check
/**
 * Lets a pointer push a toast aside; less than that springs back.
 * Not for: what becomes of the toast (element.js).
 */

import { listen } from '../client/listen.js';

/** @import { ToastStore } from './store.js' */

const DISMISS_PX = 72;
/** A press that moves less is a click, so that the link inside can be followed. */
const SLOP_PX = 8;

/**
 * @param {HTMLElement} element
 * @param {ToastStore} store
 * @param {() => void} dismiss
 */
export function swipeable(element, store, dismiss) {
  /** Where the pointer went down. @type {number | null} */
  let from = null;
  let px = 0;
  const end = () => {
    if (Math.abs(px) > DISMISS_PX) dismiss();
    from = null;
    moveTo(0);
    store.resume('swipe');
  };
  const moveTo = (/** @type {number} */ to) => {
    px = to;
    element.style.translate = `${to}px`;
  };
  listen(element, undefined, {
    pointerdown: ({ clientX, target }) => { from = target.closest('button') ? null : clientX; },
    pointermove: ({ clientX, pointerId }) => {
      if (from === null || !(px || Math.abs(clientX - from) > SLOP_PX)) return;
      element.setPointerCapture(pointerId);
      store.pause('swipe');
      moveTo(clientX - from);
    },
    pointerup: end,
    pointercancel: end,
    // A swipe that ends on the link must not follow it: what the pointer is captured by is clicked instead.
    dragstart: (event) => event.preventDefault(),
  });
}
