// @ts-check
/**
 * The widget's connection: when it reconnects, what it resumes from, what becomes of requests. Sockets and the browser's
 * events are fakes, timers are the test's.
 * Not for: a real server (../browser.test.mjs).
 */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { NEVER_HEARD_MAX_MS, backoff, delayAfterClose } from '../../../assets/client/backoff.js';
import { Client as Connection } from '../../../assets/client/client.js';

const SERVER = 'https://shop.example';
/** Longer than any delay. */
const LONG_MS = 120_000;

const KEY = 'lk_000102030405060708090a0b0c0d0eff';
/** @type {FakeSocket[]} */
let sockets = [];
/** @type {EventTarget} */
let page;
/** @type {Connection} */
let connection;
/** @type {string[]} */
let states = [];

class FakeSocket extends EventTarget {
  /** @type {any[]} */ sent = [];
  /** @type {number | undefined} */ closedWith;

  /**
   * @param {URL} url
   * @param {string[]} protocols
   */
  constructor(url, protocols) {
    super();
    this.url = url;
    this.protocols = protocols;
    sockets.push(this);
  }

  /** @param {string} text */
  send(text) { this.sent.push(JSON.parse(text)); }

  /** @param {number} code */
  close(code) { this.closedWith = code; }

  /** @param {unknown} frame */
  receive(frame) { this.dispatchEvent(new MessageEvent('message', { data: typeof frame === 'string' ? frame : JSON.stringify(frame) })); }

  /** @param {number} latest */
  welcome(latest = 0) { this.receive({ type: 'hello', payload: { session: 's', user: null, latest } }); }

  /**
   * @param {number} code
   * @param {string} [reason]
   */
  end(code, reason = '') { this.dispatchEvent(Object.assign(new Event('close'), { code, reason })); }
}

const newest = () => sockets[sockets.length - 1];

/** @param {boolean} online */
function setOnline(online) {
  Object.assign(navigator, { onLine: online });
  page.dispatchEvent(new Event(online ? 'online' : 'offline'));
}

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  // The monotonic clock is the test's as well: between two lines of a test no time passes.
  mock.method(performance, 'now', () => Date.now());
  // Full jitter at its most.
  mock.method(Math, 'random', () => 1);
  sockets = [];
  page = new EventTarget();
  const fakes = {
    WebSocket: FakeSocket,
    document: Object.assign(new EventTarget(), { hidden: false }),
    navigator: { onLine: true },
    location: { origin: SERVER },
    addEventListener: page.addEventListener.bind(page),
  };
  for (const [name, value] of Object.entries(fakes)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  connection = new Connection();
  states = [];
  connection.addEventListener('state', (event) => states.push(/** @type {CustomEvent} */ (event).detail.state));
});

afterEach(() => {
  connection.close();
  mock.timers.reset();
  mock.restoreAll();
});

test('the backoff doubles up to its cap, and is anything from 0 to that', () => {
  const most = Array.from({ length: 9 }, (_, attempt) => backoff(attempt, () => 1));
  assert.deepEqual(most, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  assert.equal(backoff(2_000, () => 1), 30_000);
  assert.deepEqual([0, 4, 9].map((attempt) => backoff(attempt, () => 0)), [0, 0, 0]);
  assert.equal(backoff(3, () => 0.5), 2_000);
});

for (const [what, code, reason, attempt, expected] of /** @type {const} */ ([
  ['the end of a log-in is final', 4001, '', 0, null],
  ['a violated policy is final', 1008, '', 0, null],
  ['too slow resumes at once', 4008, '', 0, 0],
  ['too slow again backs off', 4008, '', 2, 2_000],
  ['a lost connection backs off', 1006, '', 0, 500],
  ['a lost connection backs off further', 1006, '', 3, 4_000],
  ['going away names the delay', 1001, '1500', 0, 1_500],
  ['going away names the delay in JSON', 1001, '{"reconnectIn":700}', 0, 700],
  ['going away names a delay that is too long', 1001, '9999999', 0, 30_000],
  ['going away names none', 1001, '', 1, 1_000],
  ['going away again adds a backoff', 1001, '1500', 1, 2_500],
  ['a number in another reason is no delay', 1011, 'error 42', 0, 500],
])) {
  test(`${what}: ${code} "${reason}", attempt ${attempt}`, () => {
    assert.equal(delayAfterClose(code, reason, attempt, () => 1), expected);
  });
}

test('it opens, is welcomed, and hands events on', () => {
  connection.open();
  assert.equal(newest().url.href, 'wss://shop.example/ws');
  assert.deepEqual(newest().protocols, []);
  /** @type {any[]} */
  const heard = [];
  connection.addEventListener('BUY_GOODS', (event) => heard.push(/** @type {CustomEvent} */ (event).detail));
  newest().welcome(41);
  for (const frame of ['not JSON', '7', 'null', { type: 5 }]) newest().receive(frame);
  newest().receive({ type: 'BUY_GOODS', payload: { id: 42 } });
  assert.deepEqual([states, heard, connection.lastId], [['connecting', 'open'], [{ id: 42 }], 42]);
});

test('a listen key travels in the address and takes the place of a token, also when it resumes', () => {
  const other = new Connection({ server: 'https://shop.example', token: 'x.y.z', key: KEY });
  other.open();
  assert.equal(newest().url.href, `wss://shop.example/ws?key=${KEY}`);
  assert.deepEqual(newest().protocols, []);
  newest().welcome(41);
  newest().end(1006);
  mock.timers.tick(LONG_MS);
  assert.equal(newest().url.href, `wss://shop.example/ws?after=41&key=${KEY}`);
  other.close();
});

test('a page whose key was never good asks ever more seldom, one that was heard as often as any', () => {
  const other = new Connection({ key: KEY });
  other.open();
  for (let attempt = 0; attempt < 12; attempt += 1) {
    newest().end(1006);
    mock.timers.tick(NEVER_HEARD_MAX_MS);
  }
  const before = sockets.length;
  newest().end(1006);
  mock.timers.tick(NEVER_HEARD_MAX_MS - 1);
  assert.equal(sockets.length, before);
  mock.timers.tick(1);
  newest().welcome();
  newest().end(1006);
  mock.timers.tick(30_000);
  assert.equal(sockets.length, before + 2);
  other.close();
});

test('a token travels as a subprotocol, to the server that is named', () => {
  const other = new Connection({ server: 'http://127.0.0.1:3000', token: 'x.y.z', after: 7 });
  other.open();
  assert.equal(newest().url.href, 'ws://127.0.0.1:3000/ws?after=7');
  assert.deepEqual(newest().protocols, ['shopbell', 'bearer.x.y.z']);
  other.close();
});

test('opened twice it has one socket', () => {
  connection.open();
  connection.open();
  assert.equal(sockets.length, 1);
});

test('each failure waits longer, and resumes after the newest offset', () => {
  connection.open();
  newest().welcome(41);
  newest().receive({ type: 'BUY_CANCELED', payload: { id: 43 } });
  for (const delay of [500, 1_000, 2_000]) {
    const before = sockets.length;
    newest().end(1006);
    assert.equal(connection.state, 'waiting');
    mock.timers.tick(delay - 1);
    assert.equal(sockets.length, before);
    mock.timers.tick(1);
    assert.equal(sockets.length, before + 1);
    assert.equal(newest().url.searchParams.get('after'), '43');
  }
});

test('only a connection that lasted starts the backoff again', () => {
  connection.open();
  newest().welcome();
  newest().end(1006);
  mock.timers.tick(500);
  newest().welcome();
  mock.timers.tick(9_999);
  newest().end(1006);
  mock.timers.tick(999);
  assert.equal(sockets.length, 2);
  mock.timers.tick(1);
  newest().welcome();
  mock.timers.tick(10_000);
  newest().end(1006);
  mock.timers.tick(500);
  assert.equal(sockets.length, 4);
});

test('after the end of a log-in nothing opens it but the page', () => {
  connection.open();
  newest().welcome();
  newest().end(4001);
  assert.equal(connection.state, 'stopped');
  setOnline(false);
  setOnline(true);
  mock.timers.tick(LONG_MS);
  assert.equal(sockets.length, 1);
  connection.close();
  connection.open();
  assert.equal(sockets.length, 2);
});

test('opened again after the end of a log-in it connects', () => {
  connection.open();
  newest().welcome();
  newest().end(4001);
  connection.open();
  assert.deepEqual([sockets.length, connection.state], [2, 'connecting']);
});

test('closed by who hears its greeting, it stays closed', () => {
  connection.addEventListener('hello', () => connection.close());
  connection.open();
  newest().receive({ type: 'hello', payload: { session: 's', user: null, latest: 0, heartbeat: 1_000 } });
  for (let n = 0; n < 10; n += 1) mock.timers.tick(500);
  assert.deepEqual([sockets.length, states], [1, ['connecting', 'open', 'stopped']]);
});

test('closed, it stays closed', () => {
  connection.open();
  const first = newest();
  first.welcome();
  connection.close();
  assert.equal(first.closedWith, 1000);
  first.end(1006);
  setOnline(true);
  mock.timers.tick(LONG_MS);
  assert.deepEqual([sockets.length, connection.state], [1, 'stopped']);
});

test('a repeated offset is dropped; a lower latest offset is another database', () => {
  connection.open();
  newest().welcome(41);
  let heard = 0;
  connection.addEventListener('BUY_GOODS', () => (heard += 1));
  for (const id of [41, 42, 42, 40]) newest().receive({ type: 'BUY_GOODS', payload: { id } });
  assert.deepEqual([heard, connection.lastId], [1, 42]);
  newest().end(1006);
  mock.timers.tick(500);
  newest().welcome(3);
  newest().receive({ type: 'BUY_GOODS', payload: { id: 4 } });
  assert.deepEqual([heard, connection.lastId], [2, 4]);
});

test('offline it does not try; online it comes back soon, but not before the server said', () => {
  connection.open();
  newest().welcome();
  setOnline(false);
  newest().end(1006);
  mock.timers.tick(LONG_MS);
  assert.equal(sockets.length, 1);
  setOnline(true);
  mock.timers.tick(500);
  assert.equal(sockets.length, 2);
  newest().welcome();
  mock.timers.tick(10_000);
  newest().end(1001, '20000');
  setOnline(true);
  mock.timers.tick(19_999);
  assert.equal(sockets.length, 2);
  mock.timers.tick(1);
  assert.equal(sockets.length, 3);
});

test('a page that is hidden for good gives its socket up, and takes another when it is shown again', () => {
  connection.open();
  newest().welcome();
  page.dispatchEvent(new Event('pagehide'));
  assert.deepEqual([newest().closedWith, connection.state], [1000, 'waiting']);
  mock.timers.tick(LONG_MS);
  assert.equal(sockets.length, 1);
  page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  mock.timers.tick(500);
  assert.equal(sockets.length, 2);
});

test('a request gets its own ack; one without an answer fails', async () => {
  connection.open();
  await assert.rejects(connection.request('BUY', {}), /not connected/);
  assert.equal(connection.send('CHANGED_PAGE', '/'), false);
  newest().welcome();
  const [first, second, third] = ['a', 'b', 'c'].map((payload) => connection.request('ECHO', payload));
  const [one, two] = newest().sent;
  newest().receive({ type: 'ack', id: two.id, payload: { ok: 2 } });
  newest().receive({ type: 'ack', id: one.id, payload: { ok: 1 } });
  assert.deepEqual(await Promise.all([first, second]), [{ ok: 1 }, { ok: 2 }]);
  newest().end(1006);
  await assert.rejects(third, /no answer/);
  mock.timers.tick(500);
  newest().welcome();
  const late = connection.request('ECHO', 'd');
  mock.timers.tick(15_000);
  await assert.rejects(late, /no answer/);
});
