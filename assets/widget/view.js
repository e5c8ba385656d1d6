// @ts-check
/**
 * One toast's elements: sentence, time, picture, close button.
 * Not for: when it comes and goes (store.js) or where it stands (styles.js, element.js).
 */

import { messagesFor, sentence, timeAgo } from './messages.js';

/**
 * @import { Entry } from './store.js'
 * @import { Piece } from './messages.js'
 *
 * @typedef {object} ToastOptions
 * @property {string | null} href template of the link to goods that say no page of their own, `{goodsId}`; null: no link
 * @property {(url: string) => boolean} pictures whether pictures from there may still be tried
 * @property {(url: string) => void} pictureFailed
 * @property {() => void} dismiss
 */

/** As long as the style sheet lets it fade. */
const LEAVE_MS = 180;
const SVG = 'http://www.w3.org/2000/svg';
const BELL = 'M4 16h16l-2-3V9A6 6 0 0 0 6 9v4zM10 19h4';
const CROSS = 'M6 6l12 12m0-12L6 18';
const CHECK = 'M5 12l5 5 9-10';

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} part its name for style sheets
 * @param {...(Node | string)} children
 */
export function make(tag, part, ...children) {
  const element = document.createElement(tag);
  if (part) element.setAttribute('part', part);
  element.append(...children);
  return element;
}

/**
 * @param {Entry} entry
 * @param {ToastOptions} options
 */
export function toastView(entry, { href, pictures, pictureFailed, dismiss }) {
  const text = make('p', 'text');
  const time = make('time', 'time');
  const badge = make('span', 'badge');
  const close = make('button', 'close', icon(CROSS));
  const element = make('li', 'toast', badge, make('div', 'body', text, time), close);
  /** What the text was made of, to leave the document alone when nothing changed. */
  let drawn = '';
  element.dataset.role = 'toast';
  element.dataset.id = String(entry.orders[0].id);
  close.type = 'button';
  close.onclick = dismiss;

  /** A link to the goods where there is a page of theirs. */
  const goodsElement = () => {
    const [{ goodsId, goodsUrl }] = entry.orders;
    const address = goodsUrl ?? href?.replaceAll('{goodsId}', String(goodsId));
    if (!address) return make('span', 'goods');
    const link = make('a', 'goods');
    link.href = address;
    if (goodsUrl) link.rel = 'noopener';
    return link;
  };

  /**
   * @param {Piece} piece
   * @returns {(Node | string)[]}
   */
  const draw = (piece) => {
    if (typeof piece === 'string') {
      // A Korean particle stays with the name before it: 을(를) must not break at its bracket.
      const particle = piece.split(' ', 1)[0];
      return [make('span', 'joined', particle), piece.slice(particle.length)];
    }
    if ('name' in piece) return [make('strong', 'name', piece.name)];
    const goods = goodsElement();
    goods.append(piece.goods);
    return [goods];
  };

  /** The picture of the goods over the badge; one that cannot be had uncovers it again. */
  const drawPicture = () => {
    const { own, orders: [{ pictureUrl }, another] } = entry;
    if (own || another || !pictureUrl || !pictures(pictureUrl)) return;
    const picture = make('img', 'picture');
    picture.alt = '';
    picture.loading = 'lazy';
    picture.referrerPolicy = 'no-referrer';
    picture.onerror = () => {
      picture.remove();
      pictureFailed(pictureUrl);
    };
    picture.src = pictureUrl;
    badge.append(picture);
  };

  return {
    element,

    /**
     * Brings sentence and time up to date.
     * @param {number} now by the clock that dates orders, epoch ms
     * @param {string} lang
     */
    update(now, lang) {
      const { own, at } = entry;
      const messages = messagesFor(lang);
      const pieces = sentence(entry, now, messages);
      if (drawn !== (drawn = JSON.stringify(pieces))) {
        close.ariaLabel = messages.close;
        element.classList.toggle('own', own);
        badge.replaceChildren(icon(own ? CHECK : BELL));
        drawPicture();
        text.replaceChildren(...pieces.flatMap(draw));
      }
      const ago = timeAgo(at, now, lang);
      if (time.textContent !== ago) time.textContent = ago;
      time.dateTime = new Date(at).toISOString();
      // The name of the goods gets shorter until the sentence around it fits its lines; the style sheet would cut its end.
      const goods = /** @type {HTMLElement | null} */ (text.querySelector('[part=goods]'));
      const overflows = () => text.scrollHeight > text.clientHeight + 1;
      if (!goods || !overflows()) return;
      const name = goods.textContent ?? '';
      goods.title = name;
      goods.ariaLabel = name;
      const letters = Array.from(new Intl.Segmenter(lang).segment(name), ({ segment }) => segment);
      while (letters.pop() && overflows()) goods.textContent = `${letters.join('').trimEnd()}…`;
    },

    focus: () => close.focus(),

    /**
     * Animates the toast away, then removes it.
     * @param {() => void} gone
     */
    leave(gone) {
      element.inert = true;
      element.removeAttribute('data-role');
      setTimeout(() => {
        element.remove();
        gone();
      }, LEAVE_MS);
    },
  };
}

/** @param {string} path SVG path data */
function icon(path) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.ariaHidden = 'true';
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
