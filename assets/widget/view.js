// @ts-check
/**
 * One toast's elements: sentence, time, close button, swipe.
 * Not for: when it comes and goes (store.js) or where it stands (styles.js, element.js).
 */

import { messagesFor, sentence, timeAgo } from './messages.js';

/**
 * @import { Entry, PauseReason } from './store.js'
 * @import { Piece } from './messages.js'
 *
 * @typedef {object} ToastOptions
 * @property {string | null} href template of the link to goods that say no page of their own, `{goodsId}`; null: no link
 * @property {(url: string) => boolean} pictures whether pictures from there may still be tried
 * @property {(url: string) => void} pictureFailed
 * @property {string} lang
 * @property {number} now by the clock that dates orders, epoch ms
 * @property {boolean} atEnd whether the toasts stand at the inline end of the page, and are swiped there
 * @property {() => void} dismiss
 * @property {(reason: PauseReason) => void} pause
 * @property {(reason: PauseReason) => void} resume
 */

const SWIPE_DISMISS_PX = 72;
const SWIPE_FLING_PX_PER_MS = 0.5;
/** A press that moves less is a click, so that the link inside can be followed. */
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
  /** What #text was made of, to leave the document alone when nothing changed. */
  #drawn = '';

  /**
   * @param {Entry} entry
   * @param {ToastOptions} options
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
    this.setLanguage(options.lang, options.now);
  }

  /**
   * @param {string} lang
   * @param {number} now epoch ms
   */
  setLanguage(lang, now) {
    this.#options.lang = lang;
    this.#close.setAttribute('aria-label', messagesFor(lang).close);
    this.update(now);
  }

  /**
   * Brings sentence and time up to date.
   * @param {number} now epoch ms
   */
  update(now) {
    const { lang } = this.#options;
    const pieces = sentence(this.#entry, now, messagesFor(lang));
    const drawn = JSON.stringify(pieces);
    if (drawn !== this.#drawn) {
      const { own } = this.#entry;
      this.element.classList.toggle('own', own);
      this.#badge.replaceChildren(icon(own ? CHECK : BELL), ...this.#picture());
      this.#drawn = drawn;
      this.#text.replaceChildren(...pieces.flatMap((piece) => this.#piece(piece)));
      this.fit();
    }
    const time = timeAgo(this.#entry.at, now, lang);
    if (this.#time.textContent !== time) this.#time.textContent = time;
    this.#time.dateTime = new Date(this.#entry.at).toISOString();
  }

  /** Shortens the name of the goods until the sentence around it fits its lines; the style sheet would cut its end. */
  fit() {
    const link = /** @type {HTMLElement | null} */ (this.#text.querySelector('.goods'));
    const overflows = () => this.#text.scrollHeight > this.#text.clientHeight + 1;
    if (!link || !this.element.isConnected || !overflows()) return;
    const name = link.textContent ?? '';
    link.title = name;
    link.setAttribute('aria-label', name);
    const letters = Array.from(new Intl.Segmenter(this.#options.lang).segment(name), ({ segment }) => segment);
    const shorten = (/** @type {number} */ count) => { link.textContent = `${letters.slice(0, count).join('').trimEnd()}…`; };
    let fits = 0;
    let tooMany = letters.length;
    while (tooMany - fits > 1) {
      const half = Math.floor((fits + tooMany) / 2);
      shorten(half);
      if (overflows()) tooMany = half;
      else fits = half;
    }
    shorten(fits);
  }

  focus() { this.#close.focus(); }

  /** Animates the toast away, then removes it. */
  leave() {
    const { element } = this;
    element.classList.add('leaving');
    element.inert = true;
    element.removeAttribute('data-role');
    const remove = () => {
      const region = element.closest('section');
      element.remove();
      if (region?.popover && !region.querySelector('li') && region.matches(':popover-open')) region.hidePopover();
    };
    const animations = element.getAnimations().map((animation) => animation.finished);
    // Settles always: at once without animations (reduced motion), and also when one is canceled.
    Promise.allSettled(animations).then(remove);
  }

  /**
   * @param {Piece} piece
   * @returns {Node | string | (Node | string)[]}
   */
  #piece(piece) {
    if (typeof piece === 'string') return withParticle(piece);
    if ('name' in piece) {
      const strong = document.createElement('strong');
      strong.setAttribute('part', 'name');
      strong.textContent = piece.name;
      return strong;
    }
    const goods = this.#goods();
    goods.className = 'goods';
    goods.setAttribute('part', 'goods');
    goods.textContent = piece.goods;
    return goods;
  }

  /** A link to the goods where there is a page of theirs. */
  #goods() {
    const [{ goodsId, goodsUrl }] = this.#entry.orders;
    const { href } = this.#options;
    if (!goodsUrl && href === null) return document.createElement('span');
    const link = document.createElement('a');
    link.href = goodsUrl ?? String(href).replaceAll('{goodsId}', String(goodsId));
    if (goodsUrl) link.rel = 'noopener';
    link.draggable = false;
    return link;
  }

  /**
   * The picture of the goods over the badge; one that cannot be had uncovers it again.
   * @returns {HTMLImageElement[]}
   */
  #picture() {
    const { own, orders: [{ pictureUrl }, another] } = this.#entry;
    if (own || another || !pictureUrl || !this.#options.pictures(pictureUrl)) return [];
    const picture = document.createElement('img');
    picture.setAttribute('part', 'picture');
    picture.alt = '';
    picture.draggable = false;
    picture.referrerPolicy = 'no-referrer';
    picture.addEventListener('error', () => {
      picture.remove();
      this.#options.pictureFailed(pictureUrl);
    });
    picture.src = pictureUrl;
    return [picture];
  }

  /** Lets a pointer push the toast off the page at its edge; short and slow swipes spring back. */
  #swipe() {
    const { element } = this;
    /** @type {{x: number, time: number, moved: boolean} | null} */
    let press = null;
    let swipedAt = -Infinity;
    const outward = () => {
      const rtl = getComputedStyle(element).direction === 'rtl';
      return this.#options.atEnd !== rtl ? 1 : -1;
    };
    const distance = (/** @type {PointerEvent} */ event) => Math.max(0, (event.clientX - (press?.x ?? event.clientX)) * outward());
    const moveTo = (/** @type {number} */ px) => element.style.setProperty('--swipe', `${px * outward()}px`);
    const end = (/** @type {PointerEvent} */ event) => {
      if (!press) return;
      const px = event.type === 'pointerup' ? distance(event) : 0;
      const fast = px / Math.max(1, event.timeStamp - press.time) > SWIPE_FLING_PX_PER_MS;
      const { moved } = press;
      if (moved) swipedAt = event.timeStamp;
      press = null;
      element.classList.remove('swiping');
      this.#options.resume('swipe');
      if (moved && (px > SWIPE_DISMISS_PX || (fast && px > SWIPE_SLOP_PX * 2))) this.#options.dismiss();
      else moveTo(0);
    };
    element.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || /** @type {Element} */ (event.target).closest('button')) return;
      press = { x: event.clientX, time: event.timeStamp, moved: false };
    });
    element.addEventListener('pointermove', (event) => {
      if (!press) return;
      if (!press.moved && distance(event) > SWIPE_SLOP_PX) {
        press.moved = true;
        element.setPointerCapture(event.pointerId);
        element.classList.add('swiping');
        this.#options.pause('swipe');
      }
      if (press.moved) moveTo(distance(event));
    });
    element.addEventListener('pointerup', end);
    element.addEventListener('pointercancel', end);
    // A swipe that ends on the link must not follow it.
    element.addEventListener('click', (event) => {
      if (event.timeStamp - swipedAt < CLICK_AFTER_SWIPE_MS) event.preventDefault();
    }, true);
  }
}

/**
 * Keeps a Korean particle with the name before it: 을(를) must not break at its bracket.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
function withParticle(text) {
  const particle = /^\S+/.exec(text)?.[0];
  if (!particle) return [text];
  const span = document.createElement('span');
  span.className = 'joined';
  span.textContent = particle;
  return [span, text.slice(particle.length)];
}

/** @param {string} path SVG path data */
function icon(path) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
