/**
 * axe-core on a page, whatever the page's policy says of scripts.
 * Not for: which pages there are (a11y.test.mjs). axe-core (MPL-2.0) is installed by npm and only runs in tests.
 */

import { readFile } from 'node:fs/promises';

const SOURCE = readFile(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/**
 * What axe finds: one line for each rule that an element breaks, with the element; nothing when all is well. Everything is
 * asked but what only a person can decide. Give the page time to draw itself first.
 * @param {import('playwright-core').Page} page
 * @returns {Promise<string[]>}
 */
export async function axe(page) {
  const source = await SOURCE;
  // An expression of the debugger's: no policy forbids it.
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(`${source}; undefined`);
  const violations = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ['violations'] })).violations);
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, any, all, none }) => {
    const why = [...any, ...all, ...none].map(({ message }) => message).join('; ');
    return `${id} (${help}) at ${target.flat().join(' ')}: ${why}`;
  }));
}
