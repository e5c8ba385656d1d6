// @ts-check
/**
 * Icons that only the control room has, and those of the shop.
 * Not for: charts (chart.js).
 */

import { drawIcon } from '../../js/icons.js';

export { icon } from '../../js/icons.js';

const PATHS = {
  menu: 'M4 7h16 M4 12h16 M4 17h16',
  close: 'M6 6l12 12 M18 6L6 18',
  pulse: 'M3 12h4l2.500-6.500 4.500 13 2.500-6.500H21',
  receipt: 'M6 3.500h12v17l-2.400-1.500-2.400 1.500-2.400-1.500-2.400 1.500L6 20.500v-17Z M9 8.500h6 M9 12.500h6',
  incoming: 'M12 4v11 M7.500 10.500L12 15l4.500-4.500 M5 19.500h14',
  outgoing: 'M12 15.500V4 M7.500 8.500L12 4l4.500 4.500 M5 19.500h14',
  key: 'M8.500 14.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7Z M12 11h8.500v3 M17 11v2.500',
  people: 'M9 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7Z M3 19c.700-3.200 3-4.800 6-4.800s5.300 1.600 6 4.800 M15.500 5a3.200 3.200 0 0 1 0 6.200 M17 14.500c2.200.500 3.500 2 4 4.500',
  book: 'M5 4.500h11.500a2 2 0 0 1 2 2v13H7a2 2 0 0 1-2-2v-13Z M9 9h6 M9 12.500h6',
  mute: 'M12 3a6 6 0 0 0-6 6v3.600L4.400 16h15.200L18 12.600V9a6 6 0 0 0-6-6Z M4 3.500l16 17',
  upload: 'M12 15.500V5 M8 9l4-4 4 4 M5 15v4.500h14V15',
  download: 'M12 4.500V15 M8 11l4 4 4-4 M5 15v4.500h14V15',
  external: 'M13.500 5H19v5.500 M19 5l-8.500 8.500 M16 14v5H5V8h5',
  expand: 'M9 4H4v5 M15 4h5v5 M9 20H4v-5 M15 20h5v-5',
  sound: 'M5 9.500h3.500L13 5.500v13l-4.500-4H5v-5Z M16.500 9a4.200 4.200 0 0 1 0 6 M18.800 6.500a7.700 7.700 0 0 1 0 11',
  silent: 'M5 9.500h3.500L13 5.500v13l-4.500-4H5v-5Z M17 10l4 4 M21 10l-4 4',
};

/**
 * @param {keyof typeof PATHS} name
 * @returns {SVGElement}
 */
export const roomIcon = (name) => drawIcon(PATHS[name]);
