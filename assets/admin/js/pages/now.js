// @ts-check
/**
 * `/admin`: what happens right now; good to leave open on a screen on the wall.
 * Not for: the past (orders.js).
 *
 * @import { Figures } from '../figures.js'
 */

import { el, show } from '../../../js/dom.js';
import { realtime } from '../../../js/realtime.js';
import { errorMessage } from '../../../js/states.js';
import { bars, setText, share } from '../chart.js';
import { Feed } from '../feed.js';
import { watchFigures } from '../figures.js';
import { firstRun } from '../first-run.js';
import { roomIcon } from '../icons.js';
import { LatencyWindow, quantile } from '../latency.js';
import { formatNumber, formatShort, pageHead } from '../pieces.js';
import { startPage } from '../shell.js';
import { Bell } from '../sound.js';
import { unavailable } from '../list.js';
import { tellServerTime } from '../time.js';
import { has, t } from '../i18n.js';

/** The transports in the order of the bar. */
const TRANSPORTS = ['websocket', 'socketio', 'polling', 'sse'];
/** Refusals that are named; the others are in the sum. */
const SHOWN_CODES = 5;
/** Labels below the histogram. */
const SHOWN_BOUNDS = 8;

const bell = new Bell();
const feed = new Feed(() => bell.ring());
const latency = new LatencyWindow();
const parts = {
  perMinute: tile('now.per-minute'), today: tile('now.today'), delivered: tile('now.delivered'), sessions: tile('now.sessions'),
  lagging: tile('now.lagging'), refusals: tile('now.refusals'),
};
const minutes = bars(60, { accentLast: true });
const latencyNote = el('p', { class: 'note' });
/** Made when it is known how many bounds there are. @type {ReturnType<typeof bars> | null} */
let histogram = null;
const latencyPlace = el('div', {});
const transports = el('div', { class: 'transports' });
/** @type {ReturnType<typeof share>[]} */
let shares = [];
const refusals = el('ul', { class: 'codes', role: 'list' });
const widget = el('dl', { class: 'widget-counts' });
const trouble = el('div', { role: 'status' });
const live = el('span', { class: 'badge', role: 'status', data: { role: 'live' } });
/** The refusals that are drawn. */
let codes = '';
/** Of the last figures: an order that rings no bell shows there first. */
let orders = -1;

if (await startPage('now')) {
  const hint = await firstRun();
  draw(hint);
  realtime.addEventListener('state', showState);
  watchFigures(tell, fail);
  await feed.start();
  realtime.open();
  showState();
}

/** @param {HTMLElement | null} hint */
function draw(hint) {
  show(
    pageHead({ title: t('nav.now'), beside: [live], actions: [soundButton(), wallButton()] }),
    hint, trouble,
    el('div', { class: 'board' },
      el('div', { class: 'tiles' }, ...Object.values(parts).map(({ element }) => element)),
      el('section', { class: 'panel board-orders' }, el('h2', {}, t('now.orders')), minutes.element,
        el('p', { class: 'chart-axis', aria: { hidden: 'true' } }, el('span', {}, t('now.hour-ago')), el('span', {}, t('now.now')))),
      el('section', { class: 'panel board-latency' }, el('h2', {}, t('now.latency')), latencyPlace, latencyNote),
      el('section', { class: 'panel board-sessions' }, el('h2', {}, t('now.transports')), transports),
      el('section', { class: 'panel board-refusals' }, el('h2', {}, t('now.refused')), refusals),
      el('section', { class: 'panel board-widget' }, el('h2', {}, t('now.widget')), widget),
      el('section', { class: 'panel board-feed' }, el('h2', {}, t('now.feed')), feed.element)));
}

/** @param {string} key of its message */
function tile(key) {
  const value = el('dd', { class: 'tile-value', data: { role: key } }, '–');
  const more = el('dd', { class: 'tile-more' });
  const element = el('dl', { class: 'tile' }, el('dt', {}, t(key)), value, more);
  return { element, set: (/** @type {string} */ text, beside = '') => { setText(value, text); setText(more, beside); } };
}

/** @param {Figures} figures */
function tell(figures) {
  tellServerTime(figures.time);
  trouble.replaceChildren();
  const { sessions, alerts } = figures;
  const { perMinute, today, total } = figures.orders;
  const now = perMinute.at(-1) ?? 0;
  parts.perMinute.set(formatNumber(now), t('now.most', { count: formatNumber(Math.max(0, ...perMinute)) }));
  parts.today.set(formatNumber(today), t('now.total', { count: formatNumber(total) }));
  parts.delivered.set(formatShort(alerts.delivered), t('now.each-second', { count: formatNumber(round(alerts.perSecond)) }));
  parts.sessions.set(formatNumber(sessions.total), t('now.who', { members: formatNumber(sessions.members), guests: formatNumber(sessions.guests) }));
  parts.lagging.set(formatNumber(figures.lagging), t(figures.lagging ? 'now.lagging.some' : 'now.lagging.none'));
  parts.refusals.set(formatShort(figures.refusals.total), t('now.each-second', { count: formatNumber(round(figures.refusals.perSecond)) }));
  minutes.update(perMinute, t('now.orders.label', { now: formatNumber(now), most: formatNumber(Math.max(0, ...perMinute)) }), formatNumber);
  drawLatency(figures.latency);
  drawTransports(sessions);
  drawRefusals(figures.refusals.byCode);
  drawWidget(figures.widget);
  if (orders >= 0 && total !== orders) feed.soon();
  orders = total;
}

/** @param {number} value */
function round(value) { return value < 10 ? Math.round(value * 10) / 10 : Math.round(value); }

/** @param {Figures['latency']} told */
function drawLatency(told) {
  if (!histogram) {
    histogram = bars(told.counts.length, { least: 1 });
    const each = Math.ceil(told.counts.length / SHOWN_BOUNDS);
    latencyPlace.replaceChildren(histogram.element, el('p', { class: 'chart-axis chart-bounds', aria: { hidden: 'true' } },
      ...told.counts.map((_, index) => el('span', {}, index % each === 0 ? (told.boundsMs[index] === undefined ? '∞' : short(told.boundsMs[index])) : ''))));
  }
  const { counts, recent } = latency.take(told, performance.now());
  const all = counts.reduce((sum, count) => sum + count, 0);
  const [half, most] = [quantile(told.boundsMs, counts, 0.5), quantile(told.boundsMs, counts, 0.99)];
  const words = all === 0 ? t('now.latency.none') : t(recent ? 'now.latency.minute' : 'now.latency.start', {
    half: written(half, told.boundsMs), most: written(most, told.boundsMs), count: formatNumber(all),
  });
  setText(latencyNote, words);
  histogram.update(counts, words, formatNumber);
}

/** @param {number} ms */
function short(ms) { return ms >= 1_000 ? `${formatNumber(Math.round(ms / 100) / 10)} s` : formatNumber(ms); }

/**
 * @param {number | null} ms
 * @param {number[]} bounds
 */
function written(ms, bounds) { return ms === null ? `> ${formatNumber(bounds.at(-1) ?? 0)} ms` : `≤ ${formatNumber(ms)} ms`; }

/** @param {Figures['sessions']} sessions */
function drawTransports({ byTransport, total }) {
  const names = [...TRANSPORTS, ...Object.keys(byTransport).filter((name) => !TRANSPORTS.includes(name))];
  const rows = names.map((name) => [name, byTransport[name] ?? 0]);
  if (transports.childElementCount !== rows.length) {
    shares = rows.map(() => share());
    transports.replaceChildren(...rows.map(([name], index) => el('div', { class: 'transport' },
      el('span', {}, has(`transport.${name}`) ? t(`transport.${name}`) : name), shares[index].element, el('span', { class: 'transport-count' }))));
  }
  for (const [index, [, count]] of rows.entries()) {
    shares[index].update(total ? Number(count) / total : 0);
    setText(transports.children[index].children[2], formatNumber(Number(count)));
  }
}

/** @param {Record<string, number>} byCode */
function drawRefusals(byCode) {
  const now = Object.entries(byCode).filter(([, count]) => count > 0).sort(([, one], [, other]) => other - one).slice(0, SHOWN_CODES);
  if (JSON.stringify(now) === codes) return;
  codes = JSON.stringify(now);
  refusals.replaceChildren(...now.length ? now.map(([code, count]) => el('li', {}, el('code', {}, code), el('span', { class: 'transport-count' }, formatNumber(count))))
    : [el('li', { class: 'muted' }, t('now.refused.none'))]);
}

/** @param {Figures['widget']} counts */
function drawWidget({ shown, clicked, closed }) {
  const part = (/** @type {number} */ of) => shown ? ` (${formatNumber(Math.round(of / shown * 1000) / 10)} %)` : '';
  /** @type {[string, string][]} */
  const lines = [['now.shown', formatNumber(shown)], ['now.clicked', formatNumber(clicked) + part(clicked)], ['now.closed', formatNumber(closed) + part(closed)]];
  if (widget.childElementCount === 0) widget.replaceChildren(...lines.map(([key]) => el('div', {}, el('dt', {}, t(key)), el('dd', {}))));
  for (const [index, [, text]] of lines.entries()) setText(widget.children[index].children[1], text);
}

/** @param {unknown} error */
function fail(error) {
  trouble.replaceChildren(unavailable(error) ? el('p', { class: 'callout' }, t('now.no-figures')) : el('p', { class: 'callout callout-warn' }, errorMessage(error)));
}

function showState() {
  const open = realtime.state === 'open';
  live.className = `badge ${open ? 'badge-good' : 'badge-warn'}`;
  setText(live, t(open ? 'now.live' : 'now.connecting'));
}

function soundButton() {
  const words = el('span', {}, t('now.sound.off'));
  const button = el('button', { type: 'button', class: 'button button-quiet', aria: { pressed: 'false' }, data: { action: 'sound' } }, roomIcon('silent'), words);
  button.addEventListener('click', async () => {
    if (bell.isOn) bell.turnOff();
    else await bell.turnOn();
    button.setAttribute('aria-pressed', String(bell.isOn));
    button.replaceChildren(roomIcon(bell.isOn ? 'sound' : 'silent'), el('span', {}, t(bell.isOn ? 'now.sound.on' : 'now.sound.off')));
  });
  return button;
}

/** The board alone, for a screen on the wall. */
function wallButton() {
  if (!document.fullscreenEnabled) return null;
  const button = el('button', { type: 'button', class: 'button button-quiet', data: { action: 'wall' } }, roomIcon('expand'), t('now.wall'));
  button.addEventListener('click', () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.getElementById('main')?.requestFullscreen();
  });
  return button;
}
