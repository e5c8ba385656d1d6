/**
 * Pages of another origin that may connect, with the official Socket.IO client in headless Chromium: what a browser asks
 * beforehand (preflights), and what it holds a WebSocket to (subprotocols).
 * Not for: pages that the shop serves itself (seed-live.test.mjs).
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

import { newGoods, newMember } from './people.mjs';
import { openPage, startBrowser, startShop } from './support.mjs';

const CLIENTS = ['socket.io-client-3-0', 'socket.io-client-4-8'];
const client = (name) => join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'dist/socket.io.js');

let site;
let shop;
let browser;
let goods;

before(async () => {
  site = createServer(async (request, response) => {
    const name = CLIENTS.find((one) => request.url === `/${one}.js`);
    response.setHeader('Content-Type', name ? 'text/javascript' : 'text/html; charset=utf-8');
    if (name) return response.end(await readFile(client(name)));
    return response.end(`<!doctype html><link rel="icon" href="data:,"><script src="${request.url}.js"></script>`);
  });
  await once(site.listen(0, '127.0.0.1'), 'listening');
  shop = await startShop('--allowed-origin', `http://127.0.0.1:${site.address().port}`);
  goods = await newGoods(shop, 'Tea');
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await shop?.stop();
  site?.close();
  site?.closeAllConnections();
});

/** Connects from a page of the other site and buys; what was heard, and by which transport. */
function buyFrom(page, options) {
  return page.evaluate(([url, options, goodsId]) => new Promise((resolve, reject) => {
    const socket = window.io(url, { reconnection: false, ...options });
    socket.on('connect_error', (error) => reject(new Error(`${error.message} ${JSON.stringify(error.data ?? '')}`)));
    const { engine } = socket.io;
    socket.on('connect', () => {
      const buy = () => socket.emit('BUY', { goodsId, quantity: 1 }, (answer) => {
        const { ws } = engine.transport;
        resolve({ answer, transport: engine.transport.name, protocol: ws?.protocol ?? null });
        socket.close();
      });
      if (engine.transport.name === 'websocket' || options.transports?.[0] === 'polling') buy();
      else engine.once('upgrade', buy);
    });
  }), [shop.url, options, goods.goodsId]);
}

for (const name of CLIENTS) {
  const open = async (t) => {
    const person = await openPage(browser, `http://127.0.0.1:${site.address().port}`);
    t.after(() => person.context.close());
    await person.page.goto(`/${name}`);
    return person;
  };

  test(`${name}: offered subprotocols don't keep a page out, by any way`, async (t) => {
    const { token } = await newMember(shop, name.replace('socket.io-client-', 'proto'));
    const { page, problems } = await open(t);
    for (const [transports, transport] of [[['websocket'], 'websocket'], [undefined, 'websocket'], [['polling'], 'polling']]) {
      for (const protocols of [['chat'], ['v2.shop', 'chat']]) {
        const bought = await buyFrom(page, { auth: { token }, protocols, ...(transports && { transports }) });
        assert.equal(bought.answer.ok, true, JSON.stringify(bought));
        assert.equal(bought.transport, transport);
        if (transport === 'websocket') assert.equal(bought.protocol, protocols[0]);
      }
    }
    assert.deepEqual(problems, []);
  });

  test(`${name}: headers of its own pass the preflight, and the log-in in one of them counts`, async (t) => {
    const { token } = await newMember(shop, name.replace('socket.io-client-', 'head'));
    const { page, problems } = await open(t);
    const extraHeaders = { 'X-Shop-Page': 'detail', 'X-Request-Id': '7' };
    const polling = { transportOptions: { polling: { extraHeaders } }, extraHeaders };
    for (const options of [{}, { transports: ['polling'] }, { withCredentials: true }]) {
      const bought = await buyFrom(page, { auth: { token }, ...polling, ...options });
      assert.equal(bought.answer.ok, true, JSON.stringify(options));
    }
    const authorized = { ...extraHeaders, Authorization: `Bearer ${token}` };
    const bought = await buyFrom(page, { transports: ['polling'], extraHeaders: authorized, transportOptions: { polling: { extraHeaders: authorized } } });
    assert.equal(bought.answer.ok, true, JSON.stringify(bought));
    assert.deepEqual(problems, []);
  });
}
