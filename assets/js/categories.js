/**
 * Which categories there are, kept for a while.
 * Not for: their names in the reader's language (format.js).
 */

import { api } from './api.js';

const KEPT = 'shopbell.categories';
const MAX_AGE_MS = 5 * 60_000;

/** @returns {Promise<string[]>} in the server's order */
export async function knownCategories() {
  const kept = read();
  if (kept) return kept;
  const all = await api.categories().catch(ofTheList);
  try { sessionStorage.setItem(KEPT, JSON.stringify({ all, at: Date.now() })); } catch { /* asked again next time */ }
  return all;
}

/** A server without a list of categories: those of the goods that it lists at once, in the order of their making. */
async function ofTheList() {
  const { goods } = await api.goodsList({});
  return [...new Set([...goods].reverse().map((one) => one.category))];
}

function read() {
  try {
    const { all, at } = JSON.parse(sessionStorage.getItem(KEPT) ?? '{}');
    return Array.isArray(all) && Date.now() - at < MAX_AGE_MS ? all : null;
  } catch { return null; }
}
