// @ts-check
/**
 * Small pieces of all pages: the head, panels, badges, facts, what is to be copied, buttons that work for a while.
 * Not for: lists (list.js), forms (fields.js), dialogs (dialogs.js).
 *
 * @import { Child } from '../../js/dom.js'
 */

import { el } from '../../js/dom.js';
import { loginRequired } from '../../js/login-required.js';
import { errorMessage, notice } from '../../js/states.js';
import { icon } from './icons.js';
import { lang, t } from './i18n.js';

const numbers = new Intl.NumberFormat(lang);

const shortNumbers = new Intl.NumberFormat(lang, { notation: 'compact', maximumFractionDigits: 1 });
/** Up to here every digit is shown. */
const LONG_NUMBER = 1e6;

/** @param {number} value */
export const formatNumber = (value) => numbers.format(value);

/** @param {number} value written short where it is large */
export const formatShort = (value) => value < LONG_NUMBER ? numbers.format(value) : shortNumbers.format(value);

/**
 * @param {{title: string, lead?: string, back?: [string, string], beside?: Child[], actions?: Child[]}} head `back`: an address and its name
 */
export function pageHead({ title, lead, back, beside = [], actions = [] }) {
  return el('div', { class: 'page-head' },
    back ? el('a', { class: 'back', href: back[0] }, icon('arrow'), back[1]) : null,
    back ? el('span', { class: 'page-lead' }) : null,
    el('h1', { tabindex: -1 }, title), beside,
    actions.length ? el('div', { class: 'page-actions' }, actions) : null,
    lead ? el('p', { class: 'page-lead' }, lead) : null);
}

/**
 * @param {string} title
 * @param {...(Child | Child[])} content
 */
export function panel(title, ...content) {
  return el('section', { class: 'panel' }, el('h2', {}, title), ...content);
}

/**
 * @param {Child} text
 * @param {'good' | 'warn' | 'bad' | ''} [kind]
 * @param {SVGElement | null} [drawn] an icon before it
 */
export function badge(text, kind = '', drawn = null) {
  return el('span', { class: `badge${kind ? ` badge-${kind}` : ''}` }, drawn, text);
}

/** @param {[string, Child | Child[]][]} pairs those without a value are left out */
export function facts(pairs) {
  const given = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '' && value !== false);
  return el('dl', { class: 'facts' }, ...given.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
}

/**
 * Something to copy into another system.
 * @param {string} label
 * @param {string} text
 * @param {string} [role] for tests
 */
export function copyBox(label, text, role) {
  const button = el('button', { type: 'button', aria: { label: `${t('copy')}: ${label}` } }, t('copy'));
  const code = el('code', { data: { role } }, text);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code.textContent ?? '');
      notice(t('copy.done'));
    } catch {
      // No clipboard over plain HTTP: what is selected can be copied by hand.
      getSelection()?.selectAllChildren(code);
      notice(t('copy.by-hand'));
    }
  });
  return el('div', { class: 'copy' }, el('span', { class: 'copy-label' }, label), el('div', { class: 'copy-box' }, code, button));
}

/**
 * @param {'good' | 'warn' | 'bad' | ''} kind
 * @param {...(Child | Child[])} content
 */
export function callout(kind, ...content) {
  return el('div', { class: `callout${kind ? ` callout-${kind}` : ''}` }, kind === 'good' ? icon('check') : icon('alert'), el('div', {}, ...content));
}

const NEW_MS = 3_000;

/**
 * Marks what has just come, for a while. Nothing moves: a screen on the wall is not to be painted sixty times a second.
 * @template {HTMLElement} Shown
 * @param {Shown} element
 * @returns {Shown}
 */
export function markNew(element) {
  element.classList.add('is-new');
  setTimeout(() => element.classList.remove('is-new'), NEW_MS);
  return element;
}

/**
 * A button that does something which takes a while: not twice, and what went wrong is told.
 * @param {string} label
 * @param {() => Promise<unknown>} work
 * @param {{kind?: string, action?: string, name?: string, drawn?: SVGElement | null}} [options] `name`: said instead of the label
 */
export function workButton(label, work, { kind = 'quiet', action, name, drawn = null } = {}) {
  const button = el('button', { type: 'button', class: `button button-small button-${kind}`, data: { action }, aria: { label: name } }, drawn, label);
  button.addEventListener('click', async () => {
    if (button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    try {
      await work();
    } catch (error) {
      if (!loginRequired(error)) notice(errorMessage(error));
    } finally {
      button.removeAttribute('aria-disabled');
    }
  });
  return button;
}

/**
 * @param {string} href
 * @param {string} text
 * @param {{kind?: string, action?: string, drawn?: SVGElement | null, download?: boolean}} [options]
 */
export function linkTo(href, text, { kind = 'quiet', action, drawn = null, download } = {}) {
  return el('a', { href, class: `button button-${kind}`, data: { action }, download }, drawn, text);
}
