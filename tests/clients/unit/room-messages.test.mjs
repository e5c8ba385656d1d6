// @ts-check
/**
 * What the control room says: complete in both languages, each message used, each use with a message.
 * Not for: the shop's own messages (messages.test.mjs).
 */

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';

import en from '../../../assets/admin/js/locales/en.js';
import ko from '../../../assets/admin/js/locales/ko.js';
import shop from '../../../assets/js/locales/en.js';

const ROOM = new URL('../../../assets/admin/js/', import.meta.url);
const PLURAL = /\.(one|other)$/;

/** @param {Record<string, string>} messages */
const keys = (messages) => new Set(Object.keys(messages).map((key) => key.replace(PLURAL, '')));

/** @param {string} message */
const params = (message) => [...message.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

const files = (await readdir(ROOM, { recursive: true })).filter((name) => name.endsWith('.js') && !name.includes('locales'));
const source = (await Promise.all(files.map((name) => readFile(new URL(name, ROOM), 'utf8')))).join('\n');

test('the control room says the same in English and Korean', () => {
  assert.deepEqual([...keys(ko)].sort(), [...keys(en)].sort());
  for (const [key, message] of Object.entries(ko)) {
    const english = /** @type {Record<string, string>} */ (en)[key];
    assert.match(message, /\S/, key);
    assert.deepEqual(params(message), params(english), key);
  }
});

test('every key of the control room has a message, its own or the shop\'s', () => {
  const known = new Set([...keys(en), ...Object.keys(shop)]);
  const used = [...source.matchAll(/\btn?\('([\w.-]+)'/g)].map(([, key]) => key);
  assert.ok(used.length > 200);
  assert.deepEqual(used.filter((key) => !known.has(key)), []);
});

test('every message of the control room is used', () => {
  // `order.status.${status}` is a use of each of them.
  const patterns = [...source.matchAll(/`([\w.-]*\.?\$\{[^`]*)`/g)].map(([, text]) => text.replace(/\$\{[^}]*\}+/g, '§')).filter((text) => /^[\w.§-]+$/.test(text) && text !== '§');
  const matchers = patterns.map((text) => new RegExp(`^${text.replaceAll('.', '\\.').replaceAll('§', '[\\w.-]+')}$`));
  const isUsed = (/** @type {string} */ key) => source.includes(`'${key}'`) || matchers.some((matcher) => matcher.test(key));
  assert.deepEqual([...keys(en)].filter((key) => !isUsed(key)), []);
});
