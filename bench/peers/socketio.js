// Socket.IO's own server on Node.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { alert, listening, numbered, pingInterval, port } from './common.js';

const http = createServer((request, response) => {
  io.emit('BUY_GOODS', numbered(request.headers['idempotency-key']));
  response.writeHead(201, { 'content-length': 11 }).end('{"ok":true}');
});
// Recovery with its own settings: two minutes, in memory.
const connectionStateRecovery = process.env.BENCH_RECOVERY ? {} : undefined;
const io = new Server(http, { pingInterval, pingTimeout: pingInterval, serveClient: false, connectionStateRecovery });
io.on('connection', (socket) => {
  socket.on('BUY', (_order, ack) => {
    io.emit('BUY_GOODS', alert);
    ack?.({ ok: true });
  });
});
http.listen(port, '127.0.0.1', () => listening(http.address().port));
