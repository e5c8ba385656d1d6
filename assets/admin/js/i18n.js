// @ts-check
/**
 * The messages of the control room, and behind them those of the shop. They travel only with these pages.
 * Not for: how a message is found (../../js/i18n.js).
 */

import * as shop from '../../js/i18n.js';
import en from './locales/en.js';
import ko from './locales/ko.js';

/** Before the keys, so that none of them is one of the shop's. */
const PREFIX = 'room/';

/** @param {Record<string, string>} messages */
const prefixed = (messages) => Object.fromEntries(Object.entries(messages).map(([key, message]) => [PREFIX + key, message]));

shop.addMessages({ en: prefixed(en), ko: prefixed(ko) });

export const { lang, LANGUAGES, switchLanguage } = shop;

/** @param {string} key */
export const has = (key) => shop.has(PREFIX + key) || shop.has(key);

/**
 * The message of a key.
 * @param {string} key
 * @param {Record<string, string | number>} [params] for each `{name}` in the message
 */
export const t = (key, params) => shop.t(shop.has(PREFIX + key) ? PREFIX + key : key, params);

/**
 * The message of a number, as the language has plurals.
 * @param {string} key
 * @param {number} count
 */
export const tn = (key, count) => shop.tn(PREFIX + key, count);
