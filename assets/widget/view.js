/**
 * One toast's elements: sentence, time, close button, swipe.
 * Not for: when it comes and goes (store.js) or where it stands (sheet.js, element.js).
 */

import { ago, sentence, wordsFor } from './words.js';

const SWIPE_DISMISS_PX = 72;
const SWIPE_FLING_PX_PER_MS = 0.5;
/** Below this a press stays a press, so that the link inside can be clicked. */
const SWIPE_SLOP_PX = 8;
const CLICK_AFTER_SWIPE_MS = 50;
const SVG = 'http://www.w3.org/2000/svg';
const BELL = 'M12 3a6 6 0 0 0-6 6v3.6L4.4 16h15.2L18 12.6V9a6 6 0 0 0-6-6Zm-2.2 15a2.2 2.2 0 0 0 4.4 0';
const CROSS = 'M6 6l12 12M18 6L6 18';
const CHECK = 'M5 12.5l4.5 4.5L19 7.5';

export class ToastView {
  element = document.createElement('li');
  #entry; #options;
  #text = document.createElement('p');
  #time = document.createElement('time');
  #badge = document.createElement('span');
  #close = document.createElement('button');
  #written = '';

  /**
   * @param {import('./store.js').Entry} entry
   * @param {{href: string, lang: string, now: number, atEnd: boolean, dismiss: () => void,
   *   pause: (why: string) => void, resume: (why: string) => void}} options
   */
  constructor(entry, options) {
    this.#entry = entry;
    this.#options = options;
    const { element } = this;
    element.setAttribute('part', 'toast');
    element.dataset.role = 'toast';
    element.dataset.id = String(entry.orders[0].id);
    this.#text.setAttribute('part', 'text');
    this.#time.setAttribute('part', 'time');
    this.#close.setAttribute('part', 'close');
    this.#close.type = 'button';
    this.#close.append(icon(CROSS));
    this.#close.addEventListener('click', options.dismiss);
    this.#badge.className = 'badge';
    const body = document.createElement('div');
    body.append(this.#text, this.#time);
    element.append(this.#badge, body, this.#close);
    this.#swipe();
    this.speak(options.lang, options.now);
  }

  /** @param {string} lang @param {number} now by the clock that dates the orders */
  speak(lang, now) {
    this.#options.lang = lang;
    this.#close.setAttribute('aria-label', wordsFor(lang).close);
    this.update(now);
  }

  /** Brings the words up to date; touches the document only where they changed. */
  update(now) {
    const { lang } = this.#options;
    const pieces = sentence(this.#entry, now, wordsFor(lang));
    const written = JSON.stringify(pieces);
    if (written !== this.#written) {
      const { own } = this.#entry;
      this.element.classList.toggle('own', own);
      this.#badge.replaceChildren(icon(own ? CHECK : BELL));
      this.#written = written;
      this.#text.replaceChildren(...pieces.flatMap((piece) => this.#piece(piece)));
    }
    const time = ago(this.#entry.at, now, lang);
    if (this.#time.textContent !== time) this.#time.textContent = time;
    this.#time.dateTime = new Date(this.#entry.at).toISOString();
  }

  focus() { this.#close.focus(); }

  leave() {
    const { element } = this;
    element.classList.add('leaving');
    element.inert = true;
    element.removeAttribute('data-role');
    const gone = () => {
      const region = element.closest('section');
      element.remove();
      if (region?.popover && !region.querySelector('li') && region.matches(':popover-open')) region.hidePopover();
    };
    const moves = element.getAnimations().map((animation) => animation.finished);
    // Always ends: without animations (reduced motion) at once, and when one is cancelled too.
    Promise.allSettled(moves).then(gone);
  }

  #piece(piece) {
    if (typeof piece === 'string') return joined(piece);
    if ('name' in piece) {
      const strong = document.createElement('strong');
      strong.setAttribute('part', 'name');
      strong.textContent = piece.name;
      return strong;
    }
    const link = document.createElement('a');
    link.setAttribute('part', 'goods');
    link.href = this.#options.href.replaceAll('{goodsId}', encodeURIComponent(this.#entry.orders[0].goodsId));
    link.draggable = false;
    link.textContent = piece.goods;
    return link;
  }

  /** Towards the edge it came from, followed by the pointer; short and slow ones spring back. */
  #swipe() {
    const { element } = this;
    let start = null;
    let swipedAt = -Infinity;
    const outward = () => {
      const rtl = getComputedStyle(element).direction === 'rtl';
      return this.#options.atEnd !== rtl ? 1 : -1;
    };
    const distance = (event) => Math.max(0, (event.clientX - start.x) * outward());
    const moveTo = (px) => element.style.setProperty('--swipe', `${px * outward()}px`);
    const end = (event) => {
      if (!start) return;
      const px = event.type === 'pointerup' ? distance(event) : 0;
      const fast = px / Math.max(1, event.timeStamp - start.time) > SWIPE_FLING_PX_PER_MS;
      const moved = start.moved;
      if (moved) swipedAt = event.timeStamp;
      start = null;
      element.classList.remove('swiping');
      this.#options.resume('swipe');
      if (moved && (px > SWIPE_DISMISS_PX || (fast && px > SWIPE_SLOP_PX * 2))) this.#options.dismiss();
      else moveTo(0);
    };
    element.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || /** @type {Element} */ (event.target).closest('button')) return;
      start = { x: event.clientX, time: event.timeStamp, moved: false };
    });
    element.addEventListener('pointermove', (event) => {
      if (!start) return;
      if (!start.moved && distance(event) > SWIPE_SLOP_PX) {
        start.moved = true;
        element.setPointerCapture(event.pointerId);
        element.classList.add('swiping');
        this.#options.pause('swipe');
      }
      if (start.moved) moveTo(distance(event));
    });
    element.addEventListener('pointerup', end);
    element.addEventListener('pointercancel', end);
    // A swipe that ends on the link is no click on it.
    element.addEventListener('click', (event) => {
      if (event.timeStamp - swipedAt < CLICK_AFTER_SWIPE_MS) event.preventDefault();
    }, true);
  }
}

/** A particle stays with the word before it: 을(를) must not break at its bracket. @param {string} text */
function joined(text) {
  const particle = /^\S+/.exec(text)?.[0];
  if (!particle) return [text];
  const span = document.createElement('span');
  span.className = 'joined';
  span.textContent = particle;
  return [span, text.slice(particle.length)];
}

function icon(path) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
