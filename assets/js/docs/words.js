// @ts-check
/**
 * The little of Markdown that the documents write: paragraphs and `code`.
 * Not for: anything else of it; what is no code is text.
 */

import { el } from '../dom.js';

/**
 * @param {string} text
 * @param {string} [kind] class of the paragraphs
 * @returns {HTMLElement[]}
 */
export const paragraphs = (text, kind) => text.split(/\n\s*\n/).filter((part) => part.trim())
  .map((part) => el('p', { class: kind, lang: 'en' }, words(part)));

/**
 * One line. The backtick is written as its number: those who shorten this file count them.
 * @param {string} text
 * @returns {(string | HTMLElement)[]}
 */
export const words = (text) => text.split('\x60').map((part, place) => place % 2 ? el('code', {}, part) : part);
