// @ts-check
/**
 * Which addresses of an alert a page may link to or show.
 * Not for: what it does with them (../embed.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { webUrl } from '../../../assets/widget/web-url.js';

test('only the web is linked to', () => {
  assert.equal(webUrl('https://their.shop/tea?x=1#y'), 'https://their.shop/tea?x=1#y');
  assert.equal(webUrl('HTTP://their.shop'), 'http://their.shop/');
  for (const bad of ['javascript:alert(1)', ' java\nscript:alert(1)', 'data:text/html,x', 'vbscript:x', 'file:///etc', 'blob:https://x/1',
    '/tea', 'tea', '//evil.example', 'https://', '', null, undefined, 5, ['https://their.shop'], { href: 'https://their.shop' }]) {
    assert.equal(webUrl(bad), null, String(bad));
  }
});

test('a path is one of the server that has told it, where there is one', () => {
  assert.equal(webUrl('/images/tea.svg', 'https://shop.example'), 'https://shop.example/images/tea.svg');
  assert.equal(webUrl('https://cdn.example/tea.svg', 'https://shop.example'), 'https://cdn.example/tea.svg');
  assert.equal(webUrl('javascript:alert(1)', 'https://shop.example'), null);
});
