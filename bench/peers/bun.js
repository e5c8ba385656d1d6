// Bun's own server: its WebSockets are uWebSockets, its publish is native.
import { alert, envelope, listening, numbered, port } from './common.js';

const server = Bun.serve({
  hostname: '127.0.0.1',
  port,
  fetch(request, server) {
    if (request.method === 'POST') {
      server.publish('alerts', envelope('BUY_GOODS', numbered(request.headers.get('idempotency-key'))));
      return new Response('{"ok":true}', { status: 201 });
    }
    return server.upgrade(request) ? undefined : new Response('no', { status: 404 });
  },
  websocket: {
    perMessageDeflate: false,
    open(socket) {
      socket.subscribe('alerts');
      socket.send(envelope('hello', {}));
    },
    message(socket, text) {
      const { type, id } = JSON.parse(text);
      if (type !== 'BUY') return;
      server.publish('alerts', envelope('BUY_GOODS', alert));
      socket.send(envelope('ack', { ok: true }, id));
    },
  },
});
listening(server.port);
