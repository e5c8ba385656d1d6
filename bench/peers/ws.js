// The library ws, with the broadcast of its README.
import { WebSocket, WebSocketServer } from 'ws';
import { alert, envelope, listening } from './common.js';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, clientTracking: true });
server.on('connection', (socket) => {
  socket.on('message', (text) => {
    const { type, id } = JSON.parse(text);
    if (type !== 'BUY') return;
    const message = envelope('BUY_GOODS', alert);
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(message, { binary: false });
    }
    socket.send(envelope('ack', { ok: true }, id));
  });
  socket.send(envelope('hello', {}));
});
server.on('listening', () => listening(server.address().port));
