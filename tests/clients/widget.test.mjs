/**
 * The toast widget on pages that are not ours: whatever their fonts, their writing and their clocks, and however the line
 * to the shop behaves. Not for: the shop's own pages (browser.test.mjs, pages.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { alert, keepAlive } from './gateway.mjs';
import { widgetPages } from './widget-pages.mjs';

const { host, gateway } = widgetPages();

/** What of the toasts is where, once they have stopped moving. */
function layout(page) {
  return page.evaluate(async () => {
    const root = document.querySelector('shopbell-toasts').shadowRoot;
    await Promise.all(root.getAnimations().map((animation) => animation.finished));
    const rect = (element) => {
      const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
      return { left, top, right, bottom, width, height };
    };
    const size = (selector) => getComputedStyle(root.querySelector(selector)).fontSize;
    return {
      view: [innerWidth, innerHeight],
      region: rect(root.querySelector('section')),
      toasts: [...root.querySelectorAll('li')].map((toast) => ({
        ...rect(toast),
        lines: Math.round(toast.querySelector('p').getBoundingClientRect().height / parseFloat(getComputedStyle(toast.querySelector('p')).lineHeight)),
        inside: [...toast.querySelectorAll('p, time, button, li > span')].every((part) => {
          const [inner, outer] = [rect(part), rect(toast)];
          return inner.left >= outer.left && inner.right <= outer.right && inner.top >= outer.top && inner.bottom <= outer.bottom;
        }),
      })),
      text: size('li p'), time: size('li time'),
    };
  });
}

test('a page\'s own font sizes and text styles do not reach the toasts', async () => {
  const looks = [];
  for (const style of ['', 'html { font-size: 62.5% }', 'html { font-size: 200% }', 'html { font-size: 10px } body { font: italic 30px/3 serif; letter-spacing: 1em; text-transform: uppercase; text-align: center; text-indent: 2em; white-space: nowrap; word-spacing: 2em }']) {
    const { page, say, toasts } = await host({ style });
    await say('BUY_GOODS', alert(1, { goodsName: 'Sparkling water', firstGoodsName: 'Sparkling water' }));
    await toasts.first().waitFor();
    looks.push(await layout(page));
  }
  assert.deepEqual([looks[0].text, looks[0].time], ['15px', '13px']);
  assert.equal(looks[0].toasts[0].width, 368);
  for (const look of looks.slice(1)) assert.deepEqual(look, looks[0]);
});

const LONG = {
  words: 'A very long name of goods that goes on and on '.repeat(5).slice(0, 200),
  unbroken: 'W'.repeat(200),
  emoji: '👩‍👩‍👧‍👦🏳️‍🌈'.repeat(20).slice(0, 200),
  korean: '아주긴상품이름'.repeat(29).slice(0, 200),
  arabic: 'اسم طويل جدا '.repeat(16).slice(0, 200),
};
const PLACES = ['bottom-start', 'bottom-end', 'top-start', 'top-end'];

test('three of the longest names stay inside a small phone, in two lines each', async () => {
  for (const [kind, name] of Object.entries(LONG)) {
    for (const [position, dir, lang] of [...PLACES.map((place) => [place, 'ltr', 'en']), ['bottom-start', 'rtl', 'en'], ['top-end', 'rtl', 'ko']]) {
      const { page, say, toasts, context } = await host({ attributes: `position="${position}"`, dir, lang, viewport: { width: 360, height: 560 } });
      for (const id of [1, 2, 3]) await say('BUY_GOODS', alert(id, { nickname: 'W'.repeat(20), goodsName: name, firstGoodsName: name }));
      await toasts.nth(2).waitFor();
      const { view: [width, height], region, toasts: shown } = await layout(page);
      const what = `${kind}, ${position}, ${dir}, ${lang}`;
      assert.ok(region.height <= height, what);
      assert.equal(shown.length, 3, what);
      for (const toast of shown) {
        assert.ok(toast.left >= 0 && toast.top >= 0 && toast.right <= width && toast.bottom <= height, `${what}: ${JSON.stringify(toast)}`);
        assert.ok(toast.lines <= 2 && toast.inside, `${what}: ${JSON.stringify(toast)}`);
      }
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), what);
      await context.close();
    }
  }
});

test('a name that is too long is shortened where it stands, and the sentence around it is whole', async () => {
  for (const [lang, tail] of [['en', /^Your order of .*… is placed$/], ['ko', /^.*…\s*주문이 완료되었어요$/]]) {
    const { say, toasts } = await host({ lang, viewport: { width: 360, height: 560 } });
    for (const [id, name] of Object.entries(LONG).map(([, name], index) => [index + 1, name])) {
      await say('ORDER', { id, own: true });
      await say('BUY_GOODS', alert(id, { goodsName: name, firstGoodsName: name }));
      const toast = toasts.locator(`[title]`).last();
      await toast.waitFor();
      const [text, cut, label] = await toast.evaluate((link) => {
        const line = link.closest('p');
        return [line.textContent, line.scrollHeight > line.clientHeight + 1, link.getAttribute('aria-label')];
      });
      assert.match(text, tail);
      assert.equal(cut, false, text);
      assert.equal(label, name);
      await toasts.last().locator('button').click();
      await toasts.first().waitFor({ state: 'detached' });
    }
  }
});

test('a view that is zoomed far in holds as many toasts as fit', async () => {
  // 1280 × 720 at 400 %: what WCAG asks for.
  for (const position of PLACES) {
    const { page, say, toasts } = await host({ attributes: `position="${position}"`, viewport: { width: 320, height: 180 } });
    for (const id of [1, 2, 3]) await say('BUY_GOODS', alert(id, { goodsName: LONG.words, firstGoodsName: LONG.words }));
    await toasts.first().waitFor();
    const { view: [, height], region, toasts: shown } = await layout(page);
    assert.equal(shown.length, 1);
    assert.ok(region.height <= height && shown[0].top >= 0 && shown[0].bottom <= height, JSON.stringify(shown));
  }
});

test('goods lead to their own page and show their picture, whatever else an alert says', async () => {
  const { page, say, toasts } = await host({ attributes: 'key="lk_0" atonce="4"', viewport: { width: 1000, height: 900 } });
  const picture = 'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg"/%3E';
  await page.route('https://their.shop/tea.svg', (route) => route.fulfill({ contentType: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="teal"/></svg>' }));
  const more = { goodsUrl: 'https://their.shop/tea?a=1&b="', thumbnailUrl: 'https://their.shop/tea.svg' };
  await say('BUY_GOODS', alert(1, { nickname: 'ann', ...more }));
  const first = toasts.filter({ hasText: 'ann' });
  assert.equal(await first.locator('a').getAttribute('href'), 'https://their.shop/tea?a=1&b=%22');
  assert.equal(await first.locator('a').getAttribute('rel'), 'noopener');
  assert.equal(await first.locator('img').getAttribute('alt'), '');
  assert.equal(await first.locator('img').evaluate((image) => image.decode().then(() => image.naturalWidth)), 9);
  const bad = { goodsUrl: 'javascript:alert(1)', thumbnailUrl: picture, goodsName: '<b>Tea</b>', firstGoodsName: '<b>Tea</b>' };
  await say('BUY_GOODS', alert(2, { nickname: '<i>bob</i>', ...bad }));
  const second = toasts.filter({ hasText: 'bob' });
  assert.match(await second.innerText(), /^<i>bob<\/i> just ordered <b>Tea<\/b>/);
  assert.deepEqual([await second.locator('a').count(), await second.locator('img').count()], [0, 0]);
  // Without a page of their own, nothing here is a link: it would lead away from the shop that the page is of.
  await say('BUY_GOODS', alert(3, { nickname: 'cho' }));
  assert.equal(await toasts.filter({ hasText: 'cho' }).locator('a').count(), 0);
});

test('a picture that does not come uncovers the bell, and its site is not asked again', async () => {
  const { page, say, toasts, allow } = await host({ viewport: { width: 1000, height: 900 } });
  allow(404);
  const asked = [];
  await page.route('https://gone.example/**', (route) => {
    asked.push(route.request().url());
    return route.fulfill({ status: 404 });
  });
  await say('BUY_GOODS', alert(1, { nickname: 'ann', thumbnailUrl: 'https://gone.example/1.svg' }));
  await page.waitForFunction(() => document.querySelector('shopbell-toasts').shadowRoot.querySelector('li svg') && !document.querySelector('shopbell-toasts').shadowRoot.querySelector('li img'));
  await say('BUY_GOODS', alert(2, { nickname: 'bob', thumbnailUrl: 'https://gone.example/2.svg' }));
  await toasts.filter({ hasText: 'bob' }).waitFor();
  assert.deepEqual(asked, ['https://gone.example/1.svg']);
});

test('who is not named is somebody, in the widget\'s own language; a late order is as old as it is', async () => {
  for (const [lang, sentence, ago] of [['en', 'Someone ordered Tea', '3 hours ago'], ['ko', '누군가가 Tea을(를) 주문했어요', '3시간 전']]) {
    const { say, toasts } = await host({ lang });
    const orderedAt = new Date(Date.now() - 3 * 3_600_000 - 5_000).toISOString();
    await say('BUY_GOODS', alert(1, { nickname: '***', anonymous: true, orderedAt }));
    const text = await toasts.first().innerText();
    assert.ok(text.includes(sentence) && text.includes(ago), text);
  }
});

test('one\'s own order is known by its number, not by a name', async () => {
  const { say, toasts } = await host();
  await say('ORDER', { orderId: 9, id: 1, status: 'placed', own: true });
  await say('BUY_GOODS', alert(1, { nickname: 'k**' }));
  await toasts.filter({ hasText: 'Your order of Tea is placed' }).waitFor();
  await say('BUY_GOODS', alert(2, { nickname: 'kim' }));
  const stranger = toasts.filter({ hasText: 'kim just ordered Tea' });
  await stranger.waitFor();
  // The word may come late; it may not come for another's.
  await say('ORDER', { orderId: 10, id: 2, status: 'placed' });
  await stranger.waitFor();
  await say('ORDER', { orderId: 10, id: 2, status: 'placed', own: true });
  await toasts.filter({ hasText: 'Your order' }).nth(1).waitFor();
  await stranger.waitFor({ state: 'detached' });
});

test('a path that falls silent is given up within three heartbeats and resumed where it stopped', async () => {
  const heartbeat = 300;
  const line = await gateway((_, n) => ({ heartbeat, latest: 6 + n, epoch: 'e1', time: new Date().toISOString() }));
  const { toasts } = await host({ line });
  const first = await line.connection(1);
  assert.deepEqual(first.query, {});
  // What is told keeps it as well as what is said only to say something.
  const stop = keepAlive(first, heartbeat);
  await new Promise((resolve) => setTimeout(resolve, heartbeat * 5));
  assert.equal(line.connections.length, 1);
  first.tell('BUY_GOODS', alert(8, { nickname: 'ann' }));
  await toasts.filter({ hasText: 'ann' }).waitFor();
  stop();
  const silentSince = performance.now();
  await first.closed;
  const noticed = performance.now() - silentSince;
  assert.ok(noticed <= heartbeat * 3 + 200, `${noticed} ms`);
  const second = await line.connection(2);
  assert.deepEqual(second.query, { after: '8', epoch: 'e1' });
  second.tell('BUY_GOODS', alert(8, { nickname: 'ann' }));
  second.tell('BUY_GOODS', alert(9, { nickname: 'bob' }));
  await toasts.filter({ hasText: 'bob' }).waitFor();
  assert.equal(await toasts.filter({ hasText: 'ann' }).count(), 1);
});

test('without a heartbeat in the greeting silence means nothing', async () => {
  const line = await gateway(() => ({}));
  const { toasts } = await host({ line });
  const only = await line.connection(1);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  only.tell('BUY_GOODS', alert(1));
  await toasts.first().waitFor();
  assert.equal(line.connections.length, 1);
});

test('a gap and another database bring what is new, and no flood of what is old', async () => {
  const line = await gateway((_, n) => n === 1 ? { latest: 900, epoch: 'old', heartbeat: 300 } : { latest: 500, epoch: 'new', heartbeat: 300 });
  const { toasts, page } = await host({ line });
  await line.connection(1);
  // It falls silent and comes back over another database, whose log is replayed from its beginning.
  const second = await line.connection(2);
  assert.deepEqual(second.query, { after: '900', epoch: 'old' });
  second.tell('gap', { after: 900, oldest: 1 });
  for (let id = 1; id <= 500; id += 1) second.tell('BUY_GOODS', alert(id, { nickname: 'old' }));
  second.tell('BUY_GOODS', alert(501, { nickname: 'fay' }));
  await toasts.filter({ hasText: 'fay' }).waitFor();
  assert.equal(await toasts.count(), 1);
  assert.equal(await page.locator('shopbell-toasts', { hasText: 'old' }).count(), 0);
  // From there on it resumes in the new log, also where that has told nothing yet.
  const third = await line.connection(3);
  assert.deepEqual(third.query, { after: '501', epoch: 'new' });
});

test('after a gap and before any alert a lost line resumes in the new log', async () => {
  const line = await gateway((_, n) => n === 1 ? { latest: 900, epoch: 'old', heartbeat: 300 } : { latest: 20, epoch: 'new', heartbeat: 300 });
  await host({ line });
  const second = await line.connection(2);
  second.tell('gap', { after: 900, oldest: 1 });
  assert.deepEqual((await line.connection(3)).query, { after: '20', epoch: 'new' });
});

test('ages are told by the server\'s clock, not by the reader\'s', async () => {
  for (const wrong of [-36e5 * 24, 36e5 * 24]) {
    const line = await gateway(() => ({ time: new Date().toISOString() }));
    const { toasts } = await host({
      line,
      setup: `const now = Date.now; Date.now = () => now() + ${wrong};`,
    });
    const only = await line.connection(1);
    only.tell('BUY_GOODS', alert(1, { nickname: 'ann' }));
    only.tell('BUY_GOODS', alert(2, { nickname: 'bob', date: new Date(Date.now() - 5.5 * 60_000).toISOString() }));
    await toasts.filter({ hasText: 'ann just ordered Tea' }).filter({ hasText: 'just now' }).waitFor();
    await toasts.filter({ hasText: 'bob ordered Tea' }).filter({ hasText: '5 minutes ago' }).waitFor();
  }
});
