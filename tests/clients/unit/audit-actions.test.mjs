// @ts-check
/**
 * The control room's list of what is in the audit, beside the server's sources.
 * Not for: what is written down when (tests/it).
 */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { ACTIONS } from '../../../assets/admin/js/audit-actions.js';
import en from '../../../assets/admin/js/locales/en.js';

const ROOT = new URL('../../../', import.meta.url);
/** Where deeds are named. */
const FOLDERS = ['src/store/sql/', 'src/service/'];

/** The names of all deeds in the sources: texts of two words, which columns of a table are, too. */
async function deeds() {
  const found = new Set();
  for (const folder of FOLDERS) {
    for (const name of await readdir(new URL(folder, ROOT))) {
      if (!name.endsWith('.rs') || name === 'tests.rs') continue;
      const text = await readFile(new URL(folder + name, ROOT), 'utf8');
      const named = text.replace(/is_taken\([^)]*\)/g, '').matchAll(/"((?:goods|order|user|report|source|endpoint|listen-key|alerts)\.[a-z]+)"/g);
      for (const [, deed] of named) found.add(deed);
    }
  }
  return [...found].sort();
}

test('each deed that the server writes down can be asked for, and no other', async () => {
  assert.deepEqual(ACTIONS.toSorted(), await deeds());
});

test('each deed has a name, and no name is without its deed', () => {
  const named = Object.keys(en).filter((key) => /^audit\.[a-z-]+\.[a-z]+$/.test(key) && !key.startsWith('audit.none.'));
  assert.deepEqual(named.map((key) => key.slice('audit.'.length)).sort(), ACTIONS.toSorted());
});
