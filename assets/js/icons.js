// @ts-check
/**
 * Line icons as SVG elements (24 px grid, drawn with the color of the text).
 * Not for: pictures of goods (images/).
 */

const SVG = 'http://www.w3.org/2000/svg';

const PATHS = {
  bell: 'M12 3a6 6 0 0 0-6 6v3.6L4.4 16h15.2L18 12.6V9a6 6 0 0 0-6-6Z M9.8 18.5a2.2 2.2 0 0 0 4.4 0',
  bag: 'M5 8h14l1 12H4L5 8Z M8.5 10.500V7a3.500 3.500 0 0 1 7 0v3.500',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z M4.500 20c1-3.700 4-5.500 7.500-5.500s6.500 1.800 7.500 5.500',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Z M20 20l-4-4',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z M3 12h18 M12 3c-5 5.500-5 12.500 0 18 M12 3c5 5.500 5 12.500 0 18',
  minus: 'M6 12h12',
  plus: 'M6 12h12 M12 6v12',
  trash: 'M4.500 7h15 M9.500 7V4.500h5V7 M6.500 7l1 13h9l1-13 M10.500 11v5.500 M13.500 11v5.500',
  eye: 'M2.500 12C5 7.500 8.300 5.500 12 5.500s7 2 9.500 6.500c-2.500 4.500-5.800 6.500-9.500 6.500S5 16.500 2.500 12Z M12 14.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600Z',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  alert: 'M12 8v5 M12 16.500v.1 M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z',
  arrow: 'M5 12h14 M13 6l6 6-6 6',
  gauge: 'M4 17a8.500 8.500 0 1 1 16 0 M12 15l4-5',
  flag: 'M6 21V4 M6 4.500h11l-2.500 4 2.500 4H6',
  box: 'M4 8l8-4 8 4v8.500l-8 4-8-4V8Z M4 8l8 4 8-4 M12 12v8.500',
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * @param {IconName} name
 * @returns {SVGElement}
 */
export const icon = (name) => drawIcon(PATHS[name]);

/**
 * @param {string} d of its path
 * @returns {SVGElement}
 */
export function drawIcon(d) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', d);
  svg.append(path);
  return svg;
}
