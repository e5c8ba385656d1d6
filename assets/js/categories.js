// @ts-check
/**
 * The names of all categories, read from the whole catalog (which the browser revalidates by its ETag)
 * and kept for a while.
 * Not for: their names in the reader's language (format.js).
 */

import { api } from './api.js';

const STORAGE_KEY = 'shopbell.categories';
const MAX_AGE_MS = 5 * 60_000;

/** @returns {Promise<string[]>} in the order in which the shop began to sell them */
export async function loadCategories() {
  const kept = read();
  if (kept) return kept;
  const { goods } = await api.goodsList({});
  const all = [...new Set([...goods].reverse().map((one) => one.category))];
  try { sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ all, at: Date.now() })); } catch { /* read again next time */ }
  return all;
}

/** @returns {string[] | null} */
function read() {
  try {
    const { all, at } = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? '{}');
    return Array.isArray(all) && Date.now() - at < MAX_AGE_MS ? all : null;
  } catch { return null; }
}
