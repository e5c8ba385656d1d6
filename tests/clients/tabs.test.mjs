/**
 * One connection for all tabs of a browser: who has it, what the others hear, and what becomes of it when its tab is closed,
 * crashes or is frozen.
 * Not for: the connection itself (unit/connection.test.mjs, widget.test.mjs).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { alert } from './gateway.mjs';
import { within } from './sockets.mjs';
import { widgetPages } from './widget-pages.mjs';

const { host, gateway } = widgetPages();
/** Room for all that a test tells, so that each alert is shown when it comes. */
const ROOMY = { attributes: 'atonce="20" seconds="600"', viewport: { width: 500, height: 2_400 } };
/** Tabs make sure of their leader every second. */
const HURRIED = 'const every = setInterval; window.setInterval = (then, ms) => every(then, ms === 10_000 ? 1_000 : ms);';

/** A gateway whose log is kept by the test: what is told goes out on the newest connection, and is replayed to the next. */
async function shopWithLog() {
  const log = [];
  const line = await gateway((connection) => {
    const after = Number(connection.query.after ?? log.length);
    // Right after the greeting.
    queueMicrotask(() => log.slice(after).forEach((one) => connection.tell('BUY_GOODS', one)));
    return { latest: log.length, epoch: 'e', time: new Date().toISOString() };
  });
  const tell = (...names) => {
    for (const nickname of names) {
      log.push(alert(log.length + 1, { nickname }));
      const newest = line.connections.at(-1);
      if (!newest.gone) newest.tell('BUY_GOODS', log.at(-1));
    }
  };
  return { line, log, tell };
}

/** Three tabs of one browser, of which the first leads; `sockets` has the tab of each connection that comes later. */
async function threeTabs(line, setup) {
  const first = await host({ line, setup, ...ROOMY });
  const sockets = [];
  const tabs = [first.page];
  const watch = (page) => page.on('websocket', () => sockets.push(page));
  await line.connection(1);
  for (let n = 0; n < 2; n += 1) {
    const page = await first.context.newPage();
    watch(page);
    await page.goto('/');
    await page.waitForFunction(() => window.ready);
    tabs.push(page);
  }
  return { ...first, tabs, sockets };
}

/** The alerts that a tab has shown, each as often as it was. */
const shown = (page) => page.evaluate(() => window.told.filter(([type]) => type === 'toast').map(([, id]) => id));
const hasShown = (page, count) => page.waitForFunction((count) => window.told.filter(([type]) => type === 'toast').length >= count, count);
const upTo = (count) => Array.from({ length: count }, (_, n) => n + 1);

test('three tabs have one connection, and each shows each alert once', async () => {
  const { line, tell } = await shopWithLog();
  const { tabs } = await threeTabs(line);
  tell('ann', 'bob');
  await Promise.all(tabs.map((page) => hasShown(page, 2)));
  for (const page of tabs) assert.deepEqual(await shown(page), upTo(2));
  assert.equal(line.connections.length, 1);
});

for (const [how, end] of [
  ['is closed', (page) => page.close()],
  ['crashes', (page) => page.goto('chrome://crash').catch(() => {})],
]) {
  test(`when the tab that leads ${how}, another goes on where it stopped`, async () => {
    const { line, tell } = await shopWithLog();
    const { tabs, sockets } = await threeTabs(line);
    tell('ann', 'bob');
    await Promise.all(tabs.map((page) => hasShown(page, 2)));
    const [leader, ...others] = tabs;
    line.connections[0].closed.then(() => { line.connections[0].gone = true; });
    await end(leader);
    await within(line.connections[0].closed, 'the end of the first connection');
    // Told while nobody listens, or while the next one comes.
    tell('cho');
    const second = await line.connection(2);
    assert.deepEqual(second.query, { after: '2', epoch: 'e' });
    tell('dan');
    await Promise.all(others.map((page) => hasShown(page, 4)));
    for (const page of others) assert.deepEqual(await shown(page), upTo(4));
    assert.equal(sockets.length, 1);
    // And once more: the last tab is alone.
    const [next] = sockets;
    const last = others.find((page) => page !== next);
    second.closed.then(() => { second.gone = true; });
    await end(next);
    await within(second.closed, 'the end of the second connection');
    tell('eve');
    assert.deepEqual((await line.connection(3)).query, { after: '4', epoch: 'e' });
    await hasShown(last, 5);
    assert.deepEqual(await shown(last), upTo(5));
  });
}

test('a tab that leads and says nothing more, as one that is frozen, loses its place to one that is looked at', async () => {
  const { line, tell } = await shopWithLog();
  const { tabs } = await threeTabs(line, HURRIED);
  tell('ann');
  await Promise.all(tabs.map((page) => hasShown(page, 1)));
  await tabs[0].evaluate(() => {
    const { postMessage } = BroadcastChannel.prototype;
    BroadcastChannel.prototype.postMessage = () => {};
    window.thaw = () => { BroadcastChannel.prototype.postMessage = postMessage; };
  });
  tell('bob');
  assert.deepEqual((await line.connection(2)).query, { after: '1', epoch: 'e' });
  await Promise.all(tabs.map((page) => hasShown(page, 2)));
  await within(line.connections[0].closed, 'the first connection is given up');
  await tabs[0].evaluate(() => window.thaw());
  tell('cho');
  await Promise.all(tabs.map((page) => hasShown(page, 3)));
  // Two that notice at the same moment may both take the place: nothing is lost by it.
  for (const page of tabs) assert.deepEqual(await shown(page), upTo(3));
});

test('another key or server is another connection, and without Web Locks each tab has its own', async () => {
  const line = await gateway(() => ({}));
  const { page, context } = await host({ line });
  await line.connection(1);
  const connect = (setup) => page.evaluate(async (setup) => {
    const { SharedConnection } = await import('/client/shared.js');
    if (setup.noLocks) Object.defineProperty(navigator, 'locks', { value: undefined });
    const connection = new SharedConnection({ server: location.origin, key: setup.key });
    connection.open();
  }, setup);
  await connect({ key: 'lk_1' });
  assert.equal((await line.connection(2)).query.key, 'lk_1');
  await connect({ key: 'lk_1', noLocks: true });
  assert.equal((await line.connection(3)).query.key, 'lk_1');
  assert.equal(context.pages().length, 1);
});
