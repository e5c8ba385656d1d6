// A shop as one would write it with Express, better-sqlite3 and ws: goods, a cart, and durable orders that are told to
// every session. Nobody logs in: what shopbell does for that comes on top of it.
import { createServer } from 'node:http';
import Database from 'better-sqlite3';
import express from 'express';
import { WebSocket, WebSocketServer } from 'ws';
import { alert, envelope, listening } from './common.js';

const database = new Database(process.env.BENCH_DATABASE ?? ':memory:');
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
database.pragma('foreign_keys = ON');
database.exec(`
  create table goods (goods_id integer primary key, name text not null, thumbnail_url text not null,
    category text not null, price integer not null, stock integer, created_at integer not null,
    updated_at integer not null) strict;
  create table carts (user_id integer not null, goods_id integer not null references goods (goods_id),
    quantity integer not null, primary key (user_id, goods_id)) strict;
  create table orders (order_id integer primary key autoincrement, user_id integer not null, status text not null,
    total integer not null, created_at integer not null) strict;
  create index orders_of_user on orders (user_id);
  create table order_items (order_id integer not null references orders (order_id), line integer not null,
    goods_id integer not null, name text not null, price integer not null, quantity integer not null,
    primary key (order_id, line)) strict, without rowid;
  create table notifications (id integer primary key autoincrement, kind text not null, order_id integer not null
    references orders (order_id), goods_id integer not null, nickname text, first_goods_name text,
    other_goods integer, quantity integer, created_at integer not null) strict;
  create unique index alert_of_order on notifications (order_id) where kind = 'purchase';
`);

const insertGoods = database.prepare('insert into goods values (?, ?, ?, ?, ?, null, ?, ?)');
database.transaction((count) => {
  for (let id = 1; id <= count; id += 1) {
    insertGoods.run(id, `Goods ${id}`, '/images/placeholder.svg', 'drink', 450, Date.now(), Date.now());
  }
})(Number(process.env.BENCH_GOODS ?? 50));

const selectGoods = database.prepare('select * from goods where goods_id = ?');
const selectAllGoods = database.prepare('select * from goods order by goods_id desc limit ?');
const insertOrder = database.prepare("insert into orders values (null, 1, 'placed', ?, ?)");
const insertItem = database.prepare('insert into order_items values (?, 0, ?, ?, ?, ?)');
const insertAlert = database.prepare("insert into notifications values (null, 'purchase', ?, ?, 'kim', ?, 0, ?, ?)");
const putCart = database.prepare(`insert into carts values (1, ?, ?)
  on conflict (user_id, goods_id) do update set quantity = excluded.quantity`);

const shown = (row) => ({
  goodsId: row.goods_id,
  name: row.name,
  thumbnailUrl: row.thumbnail_url,
  category: row.category,
  price: row.price / 100,
  stock: row.stock,
  createdAt: new Date(row.created_at).toISOString(),
  updatedAt: new Date(row.updated_at).toISOString(),
});

const place = database.transaction((goodsId) => {
  const goods = selectGoods.get(goodsId);
  if (!goods) throw new Error('there are no such goods');
  const now = Date.now();
  const orderId = insertOrder.run(goods.price, now).lastInsertRowid;
  insertItem.run(orderId, goodsId, goods.name, goods.price, 1);
  const { lastInsertRowid } = insertAlert.run(orderId, goodsId, goods.name, 1, now);
  return { id: Number(lastInsertRowid), goods, date: new Date(now).toISOString() };
});

const app = express();
app.use(express.json());
app.get('/api/goods', (request, response) => {
  response.json({ ok: true, goods: selectAllGoods.all(Number(request.query.limit ?? 1000)).map(shown) });
});
app.get('/api/goods/:goodsId', (request, response) => {
  const row = selectGoods.get(Number(request.params.goodsId));
  if (!row) return response.status(404).json({ ok: false });
  return response.json({ ok: true, goods: shown(row) });
});
app.put('/api/goods/:goodsId/cart', (request, response) => {
  const goodsId = Number(request.params.goodsId);
  const row = selectGoods.get(goodsId);
  if (!row) return response.status(404).json({ ok: false });
  putCart.run(goodsId, request.body.quantity);
  return response.json({ ok: true, cart: { goods: shown(row), quantity: request.body.quantity } });
});

const http = createServer(app);
const sockets = new WebSocketServer({ server: http, path: '/ws', perMessageDeflate: false });
sockets.on('connection', (socket) => {
  socket.on('message', (text) => {
    const { type, payload, id } = JSON.parse(text);
    if (type !== 'BUY') return;
    const order = place(payload.goodsId);
    const { name } = order.goods;
    const message = envelope('BUY_GOODS', {
      ...alert, goodsId: payload.goodsId, goodsName: name, firstGoodsName: name, date: order.date, id: order.id,
    });
    for (const client of sockets.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(message);
    }
    socket.send(envelope('ack', { ok: true, id: order.id }, id));
  });
  socket.send(envelope('hello', {}));
});
http.listen(0, '127.0.0.1', () => listening(http.address().port));
