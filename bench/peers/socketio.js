// Socket.IO's own server on Node.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { alert, listening, pingInterval } from './common.js';

const http = createServer();
const io = new Server(http, { pingInterval, pingTimeout: pingInterval, serveClient: false });
io.on('connection', (socket) => {
  socket.on('BUY', (_order, ack) => {
    io.emit('BUY_GOODS', alert);
    ack?.({ ok: true });
  });
});
http.listen(0, '127.0.0.1', () => listening(http.address().port));
