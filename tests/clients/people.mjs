/**
 * Members of the shop and what they do over HTTP.
 * Not for: sockets (sockets.mjs), pages (support.mjs).
 */

import assert from 'node:assert/strict';

const PASSWORD = 'correct horse';

/** A request that leaves no idle connection behind, which a restart of the shop would break. */
async function call(shop, method, path, { token, body } = {}) {
  const answer = await fetch(`${shop.url}/api${path}`, {
    method,
    headers: {
      'Content-Type': 'application/json',
      Connection: 'close',
      ...(token && { Authorization: `Bearer ${token}` }),
    },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return { body: text && JSON.parse(text), cookie: answer.headers.get('set-cookie')?.split(';')[0] };
}

/** Logs in. Returns the token, and the cookie that carries it. */
export async function logIn(shop, { email, password }) {
  const { body, cookie } = await call(shop, 'POST', '/auth', { body: { email, password } });
  return { nickname: body.user.nickname, email, password, token: body.token, cookie };
}

/** Someone with a new account, logged in. */
export async function newMember(shop, nickname) {
  const email = `${nickname}@example.com`;
  await call(shop, 'POST', '/users', { body: { nickname, email, password: PASSWORD, confirmPassword: PASSWORD } });
  return logIn(shop, { email, password: PASSWORD });
}

/** Goods that never run out. */
export async function newGoods(shop, name) {
  const { token } = await logIn(shop, shop.admin);
  const body = { name, thumbnailUrl: '/images/none.svg', category: 'test', price: 6.2 };
  return (await call(shop, 'POST', '/goods', { token, body })).body.goods;
}

/** Orders one piece; returns when the order is stored. */
export async function order(shop, { token }, { goodsId }) {
  return (await call(shop, 'POST', '/orders', { token, body: { items: [{ goodsId, quantity: 1 }] } })).body.order;
}

export const logOut = (shop, { token }) => call(shop, 'DELETE', '/auth', { token });

/** Sets a password, though it be the same: that ends all of the member's other log-ins. */
export const newPassword = (shop, { token, password }) =>
  call(shop, 'PATCH', '/users/me', { token, body: { password, currentPassword: password } });

/** The newest notification's id. */
export async function latest(shop, { token }) {
  return (await call(shop, 'GET', '/notifications?limit=1', { token })).body.latest;
}
