// @ts-check
/**
 * Bars as SVG: one path that is drawn anew with each update, colored by the style sheet.
 * Not for: numbers to be read; those stand beside it as text.
 */

import { el } from '../../js/dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 100;
/** Of a bar's place. */
const GAP = 0.22;
/** So that nothing is seen to be nothing, and not a hole. */
const FLOOR = 1.2;

/**
 * A round number that nothing is above.
 * @param {number} value
 * @param {number} least
 */
function niceTop(value, least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const top = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= value) ?? value;
  return Math.max(top, least);
}

/**
 * @param {number} count of bars
 * @param {{least?: number, accentLast?: boolean}} [options] `least`: the least top of the scale
 */
export function bars(count, { least = 4, accentLast = false } = {}) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${count} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  // Nothing to be told of yet.
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('class', 'bars');
  const last = document.createElementNS(SVG, 'path');
  last.setAttribute('class', 'bars-last');
  svg.append(path, last);
  const top = el('span', { class: 'chart-top', aria: { hidden: 'true' } });
  const element = el('div', { class: 'chart' }, top, svg);
  let drawn = '';

  /**
   * @param {number[]} values
   * @param {string} label what is seen, in words
   * @param {(top: number) => string} format of the scale
   */
  const update = (values, label, format) => {
    const scale = niceTop(Math.max(0, ...values), least);
    const all = values.map((value, index) => bar(index, value / scale));
    const now = all.join('');
    if (now !== drawn) {
      path.setAttribute('d', accentLast ? all.slice(0, -1).join('') : now);
      last.setAttribute('d', accentLast ? all.at(-1) ?? '' : '');
      drawn = now;
    }
    setText(top, format(scale));
    if (svg.getAttribute('aria-label') === label) return;
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', label);
    svg.removeAttribute('aria-hidden');
  };
  return { element, update };
}

/**
 * @param {number} index
 * @param {number} part of the height
 */
function bar(index, part) {
  const height = Math.max(FLOOR, part * HEIGHT);
  return `M${index + GAP / 2} ${HEIGHT}v${-height.toFixed(2)}h${1 - GAP}v${height.toFixed(2)}z`;
}

/** A part of a whole as one bar. */
export function share() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 1 1');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', 'share');
  svg.setAttribute('aria-hidden', 'true');
  const rect = document.createElementNS(SVG, 'rect');
  rect.setAttribute('height', '1');
  svg.append(rect);
  return { element: svg, update: (/** @type {number} */ part) => {
    const width = part.toFixed(3);
    if (rect.getAttribute('width') !== width) rect.setAttribute('width', width);
  } };
}

/**
 * Touches the document only when something is another.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
