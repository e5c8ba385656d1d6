/**
 * The contract's documents against the specifications and against the server: schemathesis makes requests of the document and
 * looks whether every answer is one that the document knows; python-socketio's frames are looked at in python/client.py.
 * Not for: the page that shows them (docs.test.mjs).
 *
 * `SCHEMATHESIS_SECONDS=600 node --test openapi.test.mjs` looks for longer.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { logIn } from './people.mjs';
import { startShop } from './support.mjs';

/** Made by scripts/test from python/requirements.txt. */
const BIN = fileURLToPath(new URL('python/.venv/bin/', import.meta.url));
/** For each of the people who try. */
const SECONDS = process.env.SCHEMATHESIS_SECONDS ?? '20';
/**
 * A stream does not end, a log-in that is over tries nothing more, and without mail there is one answer, a 503, which counts
 * as a fault of the server here.
 */
const LEFT_OUT = ['sse_events', 'auth_log_out', 'users_erase', 'users_log_out_elsewhere', 'reset_ask', 'reset_confirm'];
/**
 * Not checked: that data which breaks the schema is refused (numbers may come as text, and text as numbers, which the schema
 * does not say), and that all data is taken which the schema allows (it does not say every rule).
 */
const NOT_CHECKED = ['negative_data_rejection', 'positive_data_acceptance'];

let shop;

before(async () => { shop = await startShop(); });
after(() => shop?.stop());

async function run(program, ...args) {
  const child = spawn(join(BIN, program), args, { cwd: shop.folder, env: { ...process.env, NO_COLOR: '1' } });
  let said = '';
  for (const out of [child.stdout, child.stderr]) out.setEncoding('utf8').on('data', (text) => (said += text));
  const [code] = await once(child, 'close');
  return { code, said };
}

test('the document is OpenAPI 3.1', async () => {
  const document = await (await fetch(`${shop.url}/api/openapi.json`)).text();
  const file = join(shop.folder, 'openapi.json');
  await writeFile(file, document);
  const { code, said } = await run('openapi-spec-validator', '--schema', '3.1', file);
  assert.equal(code, 0, said);
});

for (const who of ['shopper', 'admin']) {
  test(`nothing is answered to ${who} that the document does not know`, async () => {
    const { token } = await logIn(shop, shop[who]);
    const { code, said } = await run('schemathesis', 'run', `${shop.url}/api/openapi.json`, '--header', `Authorization: Bearer ${token}`,
      '--checks', 'all', '--exclude-checks', NOT_CHECKED.join(','), '--max-time', SECONDS, '--max-examples', '10',
      '--generation-deterministic', '--request-timeout', '20', '--warnings', 'off', '--phases', 'examples,coverage,fuzzing',
      ...LEFT_OUT.flatMap((operation) => ['--exclude-operation-id', operation]));
    assert.equal(code, 0, said);
  });
}
