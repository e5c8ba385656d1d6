// @ts-check
/**
 * Which language the page speaks, and its messages.
 * Not for: the messages themselves (locales/), money and dates (money.js, format.js).
 */

import en from './locales/en.js';
import ko from './locales/ko.js';

/** @typedef {'en' | 'ko'} Language */

/** @type {Record<Language, Record<string, string>>} */
const LOCALES = { en, ko };
const STORAGE_KEY = 'shopbell.lang';

/** @type {{code: Language, name: string}[]} */
export const LANGUAGES = [{ code: 'en', name: 'English' }, { code: 'ko', name: '한국어' }];

/** The language chosen here before, else the browser's first that there are messages for. */
export const lang = choose();
document.documentElement.lang = lang;

const messages = LOCALES[lang];
const plurals = new Intl.PluralRules(lang);
const numbers = new Intl.NumberFormat(lang);

/** @returns {Language} */
function choose() {
  for (const tag of [remembered(), ...navigator.languages]) {
    const code = tag?.toLowerCase().split('-')[0];
    if (code === 'en' || code === 'ko') return code;
  }
  return 'en';
}

function remembered() {
  try { return localStorage.getItem(STORAGE_KEY); } catch { return null; }
}

/**
 * Remembers the choice and loads the page again in that language.
 * @param {Language} code
 */
export function switchLanguage(code) {
  try { localStorage.setItem(STORAGE_KEY, code); } catch { /* a private window: for this page only */ }
  location.reload();
}

/**
 * Adds messages of pages that bring their own, in all languages.
 * @param {Record<Language, Record<string, string>>} more
 */
export function addMessages(more) {
  for (const { code } of LANGUAGES) Object.assign(LOCALES[code], more[code]);
}

/**
 * The message of a key.
 * @param {string} key
 * @param {Record<string, string | number>} [params] for each `{name}` in the message
 * @returns {string}
 */
export function t(key, params = {}) {
  const message = messages[key] ?? LOCALES.en[key] ?? key;
  return message.replace(/\{(\w+)\}/g, (whole, name) => String(params[name] ?? whole));
}

/**
 * The message of a number: `key.one`, `key.other`, as the language has plurals. `{count}` is the number.
 * @param {string} key
 * @param {number} count
 * @returns {string}
 */
export function tn(key, count) {
  return t(`${key}.${plurals.select(count)}`, { count: numbers.format(count) });
}

/**
 * Whether there is a message for this key.
 * @param {string} key
 */
export const has = (key) => key in messages;
