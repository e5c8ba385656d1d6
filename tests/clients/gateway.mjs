/**
 * A site with the widget's modules, a page of a test's choice and a gateway that says what a test tells it to, on a line that
 * can fall silent without being cut: what a page does when the real one restarts, moves to another database or vanishes.
 * Not for: the real one's behavior, which tests/it holds.
 */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

import { WebSocketServer } from 'ws';

import { within } from './sockets.mjs';

/** Answers every `/ws` with `hello`, whose fields `greet(connection)` names. */
export async function startGateway(greet) {
  let page = '';
  const [answers, counted] = [{ '/api/shop': {} }, []];
  const http = createServer(async (request, response) => {
    const [path] = request.url.split('?');
    const module = /^\/((?:widget|client)\/[\w-]+\.js)$/.exec(path)?.[1];
    const told = answers[path];
    if (path === '/api/widget/counts') counted.push(Object.fromEntries(new URLSearchParams(await text(request))));
    response.setHeader('Content-Type', module ? 'text/javascript' : told ? 'application/json' : 'text/html; charset=utf-8');
    response.end(module ? await readFile(new URL(`../../assets/${module}`, import.meta.url)) : told ? JSON.stringify(told) : page);
  });
  const server = new WebSocketServer({ server: http, path: '/ws' });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const connections = [];
  const waiting = new Set();
  server.on('connection', (socket, request) => {
    const connection = {
      query: Object.fromEntries(new URL(request.url, 'ws://gateway').searchParams),
      closed: once(socket, 'close'),
      tell: (type, payload) => socket.send(JSON.stringify({ type, payload })),
      end: () => socket.terminate(),
    };
    connections.push(connection);
    connection.tell('hello', { session: `s${connections.length}`, user: null, latest: 0, ...greet(connection, connections.length) });
    for (const look of waiting) look();
  });
  return {
    url: `http://127.0.0.1:${http.address().port}`,
    set page(html) { page = html; },
    /** What the shop says of toasts. */
    set toasts(settings) { answers['/api/shop'] = { toasts: settings }; },
    /** What was told of toasts that were shown, clicked and closed. */
    counted,
    connections,
    /** The nth connection, when it comes. */
    connection: (n) => within(new Promise((resolve) => {
      const look = () => connections.length >= n && resolve(connections[n - 1]);
      waiting.add(look);
      look();
    }), `connection ${n}`),
    close() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      http.close();
      http.closeAllConnections();
    },
  };
}

/** Tells a connection that it lives, every so often, until told to stop. */
export function keepAlive(connection, ms) {
  const timer = setInterval(() => connection.tell('alive'), ms);
  return () => clearInterval(timer);
}

export const alert = (id, more = {}) => ({
  nickname: 'kim', goodsId: 4, goodsName: 'Tea', firstGoodsName: 'Tea', otherGoods: 0, quantity: 1,
  date: new Date().toISOString(), id, ...more,
});
