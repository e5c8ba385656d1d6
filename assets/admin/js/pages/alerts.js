// @ts-check
/**
 * `/admin/alerts`: who hears the bell, what it says, how it shows; tried out beside it, and the line for other pages.
 * Not for: the keys themselves (listen-keys.js).
 *
 * @import { AlertSettings, ListenKey } from '../api.js'
 */

import { ApiError } from '../../../js/api.js';
import { el, show } from '../../../js/dom.js';
import { categoryName } from '../../../js/format.js';
import { form } from '../../../js/forms.js';
import { loginRequired } from '../../../js/login-required.js';
import { errorState, notice } from '../../../js/states.js';
import { admin } from '../api.js';
import { AlertPreview } from '../alert-preview.js';
import { areaField, checksField, chosen, selectField, textField } from '../fields.js';
import { unavailable } from '../list.js';
import { neverAnnounced } from '../never-announce.js';
import { callout, copyBox, linkTo, pageHead, panel } from '../pieces.js';
import { startPage } from '../shell.js';
import { snippet } from '../snippet.js';
import { t } from '../i18n.js';

/** The toasts' settings that are numbers. */
const NUMBERS = /** @type {const} */ (['seconds', 'gapSeconds', 'atOnce', 'perVisit', 'quietDays', 'digestPerSecond']);
const PATHS = /** @type {const} */ (['include', 'exclude']);
const TEXTS = /** @type {const} */ (['audience', 'nicknameDisplay', 'unnamedBuyer']);

if (await startPage('alerts')) await read();

async function read() {
  try {
    const [{ alerts, fixed }, categories, keys] = await Promise.all([admin.alerts(), admin.categories(), admin.listenKeys()]);
    draw(alerts, fixed, categories, keys);
  } catch (error) {
    if (loginRequired(error)) return;
    const missing = unavailable(error);
    show(pageHead({ title: t('nav.alerts') }), missing ?? errorState(error, read), ...missing ? [el('div', { class: 'columns' }, neverAnnounced(), await onOtherPages())] : []);
  }
}

/**
 * @param {AlertSettings} alerts
 * @param {string[]} fixed settings of the operator
 * @param {string[]} categories
 * @param {ListenKey[]} keys
 */
function draw(alerts, fixed, categories, keys) {
  const settings = form({ id: 'alerts-form', submit: t('save'), onSubmit: (values, sent) => save(alerts, values, sent) },
    ...fixed.length ? [callout('', t('alerts.fixed'))] : [],
    ...audienceFields(alerts, fixed),
    checksField({ name: 'neverAnnounceCategories', legend: t('alerts.categories'), disabled: fixed.includes('neverAnnounceCategories'),
      options: [...new Set([...categories, ...alerts.neverAnnounceCategories])].map((name) => [name, categoryName(name)]), chosen: alerts.neverAnnounceCategories }),
    el('h2', {}, t('alerts.toasts')),
    el('div', { class: 'fields-2' }, ...NUMBERS.map((name) => textField({
      name, label: t(`alerts.${name}`), hint: t(`alerts.${name}.hint`), inputmode: 'numeric', value: alerts.toasts[name], required: name !== 'digestPerSecond', disabled: isFixed(fixed, name),
    }))),
    el('div', { class: 'fields-2' }, ...PATHS.map((name) => areaField({
      name, label: t(`alerts.${name}`), hint: t(`alerts.${name}.hint`), value: alerts.toasts[name].join('\n'), code: true, placeholder: '/goods', disabled: isFixed(fixed, name),
    }))));
  show(pageHead({ title: t('nav.alerts'), lead: t('alerts.lead') }),
    el('div', { class: 'columns' }, el('section', { class: 'panel' }, settings),
      el('div', {}, preview(settings), otherPages(keys), neverAnnounced())));
}

/**
 * @param {string[]} fixed
 * @param {string} name
 */
function isFixed(fixed, name) { return fixed.includes('toasts') || fixed.includes(name) || fixed.includes(`toasts.${name}`); }

/**
 * @param {AlertSettings} alerts
 * @param {string[]} fixed
 */
function audienceFields(alerts, fixed) {
  return [
    el('div', { class: 'fields-2' },
      selectField({ name: 'audience', label: t('alerts.audience'), hint: t('alerts.audience.hint'), value: alerts.audience, disabled: fixed.includes('audience'),
        options: [['members', t('audience.members')], ['everyone', t('audience.everyone')]] }),
      selectField({ name: 'nicknameDisplay', label: t('alerts.display'), value: alerts.nicknameDisplay, disabled: fixed.includes('nicknameDisplay'),
        options: [['full', t('display.full')], ['masked', t('display.masked')]] }),
      textField({ name: 'unnamedBuyer', label: t('alerts.unnamed'), hint: t('alerts.unnamed.hint'), value: alerts.unnamedBuyer, required: true, disabled: fixed.includes('unnamedBuyer') })),
  ];
}

/**
 * Sends what is another than before.
 * @param {AlertSettings} before
 * @param {Record<string, string>} values
 * @param {HTMLFormElement} sent
 */
async function save(before, values, sent) {
  const changes = /** @type {Record<string, unknown>} */ ({});
  for (const name of TEXTS) if (name in values && values[name] !== before[name]) changes[name] = values[name];
  const categories = chosen(sent, 'neverAnnounceCategories');
  const isOpen = !(/** @type {HTMLFieldSetElement | null} */ (sent.querySelector('fieldset'))?.disabled);
  if (isOpen && !same(categories, before.neverAnnounceCategories)) changes.neverAnnounceCategories = categories;
  const toasts = /** @type {Record<string, unknown>} */ ({});
  for (const name of NUMBERS) {
    if (!(name in values) || values[name] === String(before.toasts[name] ?? '')) continue;
    toasts[name] = values[name] === '' ? null : /^\d+$/.test(values[name]) ? Number(values[name]) : values[name];
  }
  for (const name of PATHS) {
    const lines = (values[name] ?? '').split('\n').map((line) => line.trim()).filter(Boolean);
    if (name in values && !same(lines, before.toasts[name])) toasts[name] = lines;
  }
  if (Object.keys(toasts).length) changes.toasts = toasts;
  if (Object.keys(changes).length === 0) {
    notice(t('goods.nothing-changed'));
    return;
  }
  try {
    await admin.changeAlerts(changes);
  } catch (error) {
    // The form has one field of each name, wherever the setting lies.
    if (error instanceof ApiError) for (const one of error.errors) one.field = one.field.replace(/^toasts\./, '');
    throw error;
  }
  notice(t('saved'));
  await read();
}

/**
 * @param {string[]} one
 * @param {string[]} other
 */
function same(one, other) { return JSON.stringify([...one].sort()) === JSON.stringify([...other].sort()); }

/** @param {HTMLFormElement} settings */
function preview(settings) {
  const bell = new AlertPreview();
  const wanted = () => {
    const of = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (settings.elements.namedItem(name)).value;
    return { seconds: Number(of('seconds')) || 0, atOnce: Number(of('atOnce')) || 0, display: /** @type {'full' | 'masked'} */ (of('nicknameDisplay')) };
  };
  return panel(t('preview.title'), el('p', { class: 'note' }, t('preview.text')), el('div', { class: 'page-actions preview-actions' },
    el('button', { type: 'button', class: 'button button-small button-brass', data: { action: 'preview' }, on: { click: () => bell.ring(wanted()) } }, t('preview.ring')),
    el('button', { type: 'button', class: 'button button-small button-quiet', data: { action: 'preview-burst' }, on: { click: () => bell.burst(wanted()) } }, t('preview.burst'))));
}

async function onOtherPages() { return otherPages(await admin.listenKeys().catch(() => [])); }

/** @param {ListenKey[]} keys */
function otherPages(keys) {
  const holding = keys.filter(({ revokedAt }) => revokedAt === null);
  if (holding.length === 0) return panel(t('embed.title'), el('p', { class: 'note' }, t('embed.none')), el('div', {}, linkTo('/admin/listen-keys', t('nav.keys'))));
  const place = el('div', {});
  const choose = selectField({ name: 'embed-key', label: t('embed.key'), options: holding.map(({ key, name, origins }) => [key, name ?? origins.join(', ')]) });
  const select = /** @type {HTMLSelectElement} */ (choose.querySelector('select'));
  const draw = () => place.replaceChildren(copyBox(t('keys.snippet'), snippet(select.value), 'snippet'));
  select.addEventListener('change', draw);
  draw();
  return panel(t('embed.title'), el('p', { class: 'note' }, t('embed.text')), choose, place);
}
