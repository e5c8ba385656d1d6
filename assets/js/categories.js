/**
 * Which categories there are. The interface has no list of them, so the whole catalogue is
 * read once in a while (the browser revalidates it by its ETag) and the names are kept.
 * Not for: their names in the reader's language (format.js).
 */

import { api } from './api.js';

const KEPT = 'shopbell.categories';
const MAX_AGE_MS = 5 * 60_000;

/** @returns {Promise<string[]>} in the order in which the shop began to sell them */
export async function knownCategories() {
  const kept = read();
  if (kept) return kept;
  const { goods } = await api.goodsList({});
  const all = [...new Set([...goods].reverse().map((one) => one.category))];
  try { sessionStorage.setItem(KEPT, JSON.stringify({ all, at: Date.now() })); } catch { /* asked again next time */ }
  return all;
}

function read() {
  try {
    const { all, at } = JSON.parse(sessionStorage.getItem(KEPT) ?? '{}');
    return Array.isArray(all) && Date.now() - at < MAX_AGE_MS ? all : null;
  } catch { return null; }
}
