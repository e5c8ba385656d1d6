// @ts-check
/**
 * The names of all categories, kept for a while.
 * Not for: their names in the reader's language (format.js).
 */

import { api } from './api.js';

const STORAGE_KEY = 'shopbell.categories';
const MAX_AGE_MS = 5 * 60_000;

/** @returns {Promise<string[]>} in the server's order */
export async function loadCategories() {
  const kept = read();
  if (kept) return kept;
  const all = await api.categories().catch(categoriesOfList);
  try { sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ all, at: Date.now() })); } catch { /* read again next time */ }
  return all;
}

/** For a server that has no list of categories: those of the goods that it lists at once, the oldest first. */
async function categoriesOfList() {
  const { goods } = await api.goodsList({});
  return [...new Set([...goods].reverse().map((one) => one.category))];
}

/** @returns {string[] | null} */
function read() {
  try {
    const { all, at } = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? '{}');
    return Array.isArray(all) && Date.now() - at < MAX_AGE_MS ? all : null;
  } catch { return null; }
}
