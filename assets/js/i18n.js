/**
 * Which language the page speaks, and its sentences.
 * Not for: the sentences themselves (locales/), money and dates (format.js).
 */

import en from './locales/en.js';
import ko from './locales/ko.js';

/** @type {Record<string, Record<string, string>>} */
const LOCALES = { en, ko };
const REMEMBERED = 'shopbell.lang';

export const LANGUAGES = [{ code: 'en', name: 'English', short: 'EN' }, { code: 'ko', name: '한국어', short: '한' }];

/** @returns {'en' | 'ko'} */
function choose() {
  const wanted = [remembered(), ...(navigator.languages ?? [navigator.language])];
  for (const tag of wanted) {
    const code = tag?.toLowerCase().split('-')[0];
    if (code === 'en' || code === 'ko') return code;
  }
  return 'en';
}

function remembered() {
  try { return localStorage.getItem(REMEMBERED); } catch { return null; }
}

export const lang = choose();
document.documentElement.lang = lang;

const sentences = LOCALES[lang];
const plurals = new Intl.PluralRules(lang);

/** Remembers the choice and draws the page anew in it. */
export function switchLanguage(/** @type {string} */ code) {
  try { localStorage.setItem(REMEMBERED, code); } catch { /* a private window: for this page only */ }
  location.reload();
}

/**
 * @param {string} key
 * @param {Record<string, string | number>} [params] for `{name}` in the sentence
 * @returns {string}
 */
export function t(key, params = {}) {
  const sentence = sentences[key] ?? en[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(params[name] ?? whole));
}

/** By number: `key.one`, `key.other`; `{count}` is grouped as the language does. */
export function tn(/** @type {string} */ key, /** @type {number} */ count, params = {}) {
  const exact = `${key}.${plurals.select(count)}`;
  return t(exact in sentences ? exact : `${key}.other`, { count: new Intl.NumberFormat(lang).format(count), ...params });
}

/** Whether there is a sentence for this key. */
export const has = (/** @type {string} */ key) => key in sentences;
