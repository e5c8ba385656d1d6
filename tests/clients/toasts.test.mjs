/**
 * What a shopkeeper decides of toasts and what a page may do with them: the shop's settings and the attributes that win, quiet
 * after a close, the cap of a visit, pages, bursts, absences, events, and what is counted.
 * Not for: how they look and how the line behaves (widget.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { alert } from './gateway.mjs';
import { within } from './sockets.mjs';
import { widgetPages } from './widget-pages.mjs';

const { host, gateway } = widgetPages();

/** A page whose widget has the shop's settings and shows what the test says. */
async function shopSays(shop, options) {
  const opened = await host({ shop, ...options });
  await opened.settled();
  return opened;
}

const ids = (page, type = 'toast') => page.evaluate((type) => window.told.filter(([one]) => one === type).map(([, id]) => id), type);
const shownTo = (page, id) => page.waitForFunction((id) => window.told.some(([type, ...ids]) => type === 'toast' && ids.includes(id)), id);
/** An own order is always shown: what was said before it has been decided on. */
async function sayOwn(say, page, id) {
  await say('ORDER', { id, own: true });
  await say('BUY_GOODS', alert(id));
  await shownTo(page, id);
}

test('the shop says how many at once, an attribute says otherwise', async () => {
  for (const [attributes, most] of [['', 1], ['atOnce="2"', 2]]) {
    const { say, page, toasts, settled } = await host({ shop: { atOnce: 1, seconds: 600 }, attributes });
    await settled();
    for (const id of [1, 2, 3]) await say('BUY_GOODS', alert(id));
    await toasts.nth(most - 1).waitFor();
    assert.equal(await toasts.count(), most);
    assert.deepEqual(await ids(page), [1, 2, 3].slice(0, most));
  }
});

test('no toast comes before the delay is over, nor two within the gap', async () => {
  const line = await gateway(() => ({}));
  line.toasts = { delaySeconds: 1.5, gapSeconds: 1.5 };
  const setup = "const at = window.at = []; addEventListener('shopbell:toast', () => at.push(performance.now()));";
  const { page } = await host({ line, setup });
  const connection = await line.connection(1);
  for (const id of [1, 2]) connection.tell('BUY_GOODS', alert(id));
  await shownTo(page, 2);
  const [first, second] = await page.evaluate(() => window.at);
  assert.ok(first >= 1_450 && second - first >= 1_450, `${first}, ${second}`);
});

test('the delay holds for what a page itself feeds', async () => {
  const setup = "addEventListener('shopbell:toast', () => { window.at ??= performance.now(); });";
  const { say, page } = await shopSays({ delaySeconds: 1.5 }, { setup });
  await say('BUY_GOODS', alert(1));
  await shownTo(page, 1);
  const at = await page.evaluate(() => window.at);
  assert.ok(at >= 1_450, `${at}`);
});

test('pages that are out hear nothing, pages that are in do', async () => {
  const shop = { include: ['/goods', '/detail'], exclude: ['/goods/secret'] };
  const line = await gateway(() => ({}));
  for (const [path, heard] of [['/cart', false], ['/goods/secret/1', false], ['/goods/1', true], ['/detail?x=1', true]]) {
    const before = line.connections.length;
    const { page, settled, context } = await host({ line, shop, path });
    await settled();
    if (heard) await line.connection(before + 1);
    await page.evaluate(() => new Promise((resolve) => { setTimeout(resolve, 50); }));
    assert.equal(line.connections.length - before, heard ? 1 : 0, path);
    await context.close();
  }
});

test('after a close others\' orders are quiet for days, one\'s own are told', async () => {
  const { say, page, toasts } = await shopSays({ quietDays: 7 });
  await say('BUY_GOODS', alert(1));
  await toasts.first().locator('button').click();
  await toasts.first().waitFor({ state: 'detached' });
  await say('BUY_GOODS', alert(2));
  await sayOwn(say, page, 3);
  assert.deepEqual(await ids(page), [1, 3]);
  const until = await page.evaluate(() => Number(localStorage.getItem('shopbell-toasts')));
  assert.ok(Math.abs(until - Date.now() - 7 * 86_400_000) < 60_000, `${until}`);
  // The next page of this browser knows it, and after a week it is over.
  await page.reload();
  await page.waitForFunction(() => window.ready);
  await say('BUY_GOODS', alert(4));
  await sayOwn(say, page, 5);
  assert.deepEqual(await ids(page), [5]);
  await page.evaluate(() => localStorage.setItem('shopbell-toasts', String(Date.now() - 1)));
  await say('BUY_GOODS', alert(6));
  await shownTo(page, 6);
});

test('where the browser keeps nothing, a close holds as long as the page', async () => {
  const setup = `for (const name of ['localStorage', 'sessionStorage']) {
    Object.defineProperty(window, name, { get() { throw new DOMException('blocked', 'SecurityError'); } });
  }`;
  const { say, page, toasts } = await shopSays({ quietDays: 7, perVisit: 5 }, { setup });
  await say('BUY_GOODS', alert(1));
  await toasts.first().locator('button').click();
  await say('BUY_GOODS', alert(2));
  await sayOwn(say, page, 3);
  assert.deepEqual(await ids(page), [1, 3]);
});

test('a visit has as many toasts of others as the shop says, over all of its pages', async () => {
  const { say, page, toasts, settled } = await shopSays({ perVisit: 2, seconds: 600 });
  await say('BUY_GOODS', alert(1));
  await toasts.first().waitFor();
  await page.reload();
  await page.waitForFunction(() => window.ready);
  await settled();
  for (const id of [2, 3]) await say('BUY_GOODS', alert(id));
  await sayOwn(say, page, 4);
  assert.deepEqual(await ids(page), [2, 4]);
});

test('a visit\'s toasts are counted without one\'s own and the page\'s, and what waited longer than they last stays away', async () => {
  const { say, page } = await shopSays({ perVisit: 2, seconds: 600, atOnce: 7 });
  const call = (name, ...args) => page.evaluate(([name, args]) => document.querySelector('shopbell-toasts')[name](...args), [name, args]);
  await sayOwn(say, page, 1);
  await call('show', 'Free delivery today');
  await call('pause');
  for (const id of [2, 3, 4]) await say('BUY_GOODS', alert(id));
  await call('resume');
  await sayOwn(say, page, 5);
  assert.deepEqual((await ids(page)).filter((id) => id > 0), [1, 2, 3, 5]);
});

test('toasts that come together and are all kept away are told once each', async () => {
  const setup = "addEventListener('shopbell:toast', (event) => event.preventDefault());";
  const { say, page, toasts } = await shopSays({}, { setup });
  await page.evaluate(() => document.querySelector('shopbell-toasts').pause());
  for (const id of [1, 2, 3]) await say('BUY_GOODS', alert(id));
  await page.evaluate(() => document.querySelector('shopbell-toasts').resume());
  await shownTo(page, 3);
  assert.deepEqual(await ids(page), [1, 2, 3]);
  assert.equal(await toasts.count(), 0);
});

test('muted for good and back, a toast of the page\'s own, and a pause', async () => {
  const { say, page, toasts } = await shopSays({});
  const call = (name, ...args) => page.evaluate(([name, args]) => document.querySelector('shopbell-toasts')[name](...args), [name, args]);
  const muted = () => page.evaluate(() => document.querySelector('shopbell-toasts').muted);
  assert.equal(await muted(), false);
  await call('mute');
  assert.equal(await muted(), true);
  await say('BUY_GOODS', alert(1));
  await sayOwn(say, page, 2);
  await call('mute', 0);
  assert.equal(await muted(), false);
  await say('BUY_GOODS', alert(3));
  await shownTo(page, 3);
  await call('show', '<b>Free</b> delivery today');
  await toasts.filter({ hasText: '<b>Free</b> delivery today' }).waitFor();
  await toasts.filter({ hasText: 'delivery' }).locator('button').click();
  await call('pause');
  await say('BUY_GOODS', alert(4));
  await call('resume');
  await shownTo(page, 4);
  assert.deepEqual((await ids(page)).filter((id) => id > 0), [2, 3, 4]);
});

test('a burst is one toast with a number', async () => {
  const digest = { from: 1, to: 40, count: 40, buyers: 38, nickname: 'kim', goodsId: 4, goodsName: 'Sparkling water', date: new Date().toISOString() };
  const some = (...names) => names.map((goodsName, n) => ({ goodsId: n, goodsName, count: 9 }));
  for (const [lang, one, several] of [
    ['en', 'kim and 37 others just ordered Sparkling water', 'kim and 37 others just ordered Tea and 1 more item'],
    ['ko', 'kim님 외 37명이 Sparkling water을(를) 방금 주문했어요', 'kim님 외 37명이 Tea 외 1개의 상품을 방금 주문했어요'],
  ]) {
    const { say, toasts } = await shopSays({}, { lang });
    await say('BUY_DIGEST', { ...digest, goods: some('Sparkling water') });
    await say('BUY_DIGEST', { ...digest, from: 41, to: 80, goods: some('Tea', 'Mugs'), goodsName: 'Tea' });
    await toasts.nth(1).waitFor();
    assert.deepEqual((await toasts.locator('p').allInnerTexts()), [one, several]);
  }
});

test('the digest that a shop wants is asked for, and resumed after', async () => {
  const line = await gateway(() => ({}));
  line.toasts = { digestPerSecond: 3 };
  const { page } = await host({ line });
  const first = await line.connection(1);
  assert.deepEqual(first.query, { digest: '3' });
  first.tell('BUY_DIGEST', { from: 1, to: 9, count: 9, buyers: 9, nickname: 'kim', goodsId: 4, goodsName: 'Tea', goods: [], date: new Date().toISOString() });
  await shownTo(page, 9);
  first.end();
  assert.equal((await line.connection(2)).query.after, '9');
});

test('after an absence more than a handful is one line', async () => {
  for (const [lang, text] of [['en', '12 orders while you were away'], ['ko', '자리를 비운 사이 주문 12건']]) {
    const line = await gateway((connection, n) => {
      if (n === 2) queueMicrotask(() => { for (let id = 1; id <= 12; id += 1) connection.tell('BUY_GOODS', alert(id, { nickname: `n${id}` })); });
      return { latest: n === 1 ? 0 : 12 };
    });
    const { toasts } = await host({ line, lang });
    (await line.connection(1)).end();
    await toasts.first().waitFor();
    assert.equal(await toasts.count(), 1);
    assert.equal(await toasts.locator('p').innerText(), text);
  }
});

test('a page may keep a toast away, keep it open, and keep its link from being followed', async () => {
  const setup = `for (const type of ['toast', 'click', 'close']) {
    addEventListener('shopbell:' + type, (event) => { if (window.stop === type) event.preventDefault(); });
  }`;
  const { say, page, toasts } = await shopSays({}, { setup });
  const stop = (type) => page.evaluate((type) => { window.stop = type; }, type);
  await stop('toast');
  await say('BUY_GOODS', alert(1));
  await stop('close');
  await say('BUY_GOODS', alert(2));
  await toasts.first().locator('button').click();
  await stop('click');
  await toasts.first().locator('a').click();
  assert.equal(await toasts.count(), 1);
  assert.equal(new URL(page.url()).pathname, '/');
  await stop('');
  await toasts.first().locator('a').click();
  await page.waitForURL('**/detail.html?goodsId=4');
});

test('what is shown, clicked and closed is counted when the page goes, without a cookie', async () => {
  const line = await gateway(() => ({}));
  line.toasts = { atOnce: 3 };
  const { page, toasts, settled } = await host({ line });
  await settled();
  const connection = await line.connection(1);
  for (const id of [1, 2]) connection.tell('BUY_GOODS', alert(id));
  await toasts.nth(1).waitFor();
  await toasts.first().locator('button').click();
  await page.goto('about:blank');
  await within((async () => { while (!line.counted.length) await new Promise((resolve) => { setTimeout(resolve, 20); }); })(), 'counts');
  assert.deepEqual(line.counted, [{ shown: '2', closed: '1' }]);
});

test('by the keyboard: to the toasts, through them, closed, and back', async () => {
  const { say, page, toasts } = await shopSays({ seconds: 600 });
  await page.evaluate(() => { document.body.append(Object.assign(document.createElement('input'), { id: 'field' })); });
  await page.locator('#field').focus();
  for (const id of [1, 2]) await say('BUY_GOODS', alert(id));
  await toasts.nth(1).waitFor();
  const focused = () => page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.localName ?? document.activeElement.id);
  await page.keyboard.press('F8');
  assert.equal(await focused(), 'section');
  const seen = [];
  for (let n = 0; n < 2; n += 1) {
    await page.keyboard.press('Tab');
    seen.push(await focused());
  }
  assert.deepEqual(seen, ['a', 'button']);
  await page.keyboard.press('Enter');
  await toasts.nth(1).waitFor({ state: 'detached' });
  assert.equal(await focused(), 'button');
  await page.keyboard.press('Escape');
  assert.equal(await focused(), 'field');
});

test('with less motion nothing moves, and a screen reader is told each toast once', async () => {
  const setup = `window.spoken = [];
    customElements.whenDefined('shopbell-toasts').then(() => {
      const status = document.querySelector('shopbell-toasts').shadowRoot.querySelector('[role=status]');
      new MutationObserver((all) => all.forEach(({ addedNodes }) => addedNodes.forEach((node) => window.spoken.push(node.textContent)))).observe(status, { childList: true });
    });`;
  const { say, page, toasts } = await shopSays({}, { setup, reducedMotion: 'reduce' });
  await say('BUY_GOODS', alert(1, { nickname: 'ann' }));
  await toasts.first().waitFor();
  const moving = () => page.evaluate(() => document.querySelector('shopbell-toasts').shadowRoot.getAnimations().length);
  assert.equal(await moving(), 0);
  const live = await page.evaluate(() => [...document.querySelector('shopbell-toasts').shadowRoot.querySelectorAll('section, section *')]
    .filter((element) => /status|alert|log/.test(element.role ?? '') || element.ariaLive).length);
  assert.equal(live, 0, 'the visible toasts are no live region');
  assert.deepEqual(await page.evaluate(() => window.spoken), ['ann just ordered Tea']);
});
