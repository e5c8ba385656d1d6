// What all peers share: the alert that they send, and the line that says where they listen.

/** The payload of an alert, as shopbell sends it: the same bytes for all. */
export const alert = JSON.parse(process.env.BENCH_ALERT ?? '{"id":1}');

/** The alert of an order by HTTP. Its number is that of the key, `order-57`: it goes on after a restart. */
export function numbered(key) {
  return { ...alert, id: Number(key?.slice('order-'.length)) };
}

/** Where to listen; any free port with 0. */
export const port = Number(process.env.BENCH_PORT ?? 0);

/** Milliseconds between heartbeats: so long that none falls into a measurement. */
export const pingInterval = 600_000;

/** Announces the address; the bench waits for this line. */
export function listening(port) {
  console.log(`listening on http://127.0.0.1:${port}`);
}

/** An event as a text of /ws. */
export function envelope(type, payload, id) {
  return JSON.stringify(id === undefined ? { type, payload } : { type, id, payload });
}
