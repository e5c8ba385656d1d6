/**
 * Pages of another shop with the widget, for tests that feed it by hand or by a gateway of their own.
 * Not for: the real program (embed.test.mjs).
 */

import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';

import { startGateway } from './gateway.mjs';
import { openPage, startBrowser } from './support.mjs';

/** Registers what has to happen around each test, and that nothing goes wrong on any page. */
export function widgetPages() {
  let browser;
  let open = [];
  let gateways = [];

  before(async () => {
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
  });

  afterEach(async () => {
    const problems = open.flatMap((page) => page.problems);
    await Promise.all(open.map((page) => page.context.close()));
    gateways.forEach((gateway) => gateway.close());
    [open, gateways] = [[], []];
    assert.deepEqual(problems, [], 'nothing goes wrong on any page');
  });

  async function gateway(greet) {
    const made = await startGateway(greet);
    gateways.push(made);
    return made;
  }

  /** A host page with the widget, fed by the test's own hand or by the page's gateway. */
  async function host({ style = '', dir = 'ltr', lang = 'en', attributes = '', line, setup = '', shop, path = '/', ...options } = {}) {
    const site = line ?? await gateway(() => ({}));
    if (shop) site.toasts = shop;
    const person = await openPage(browser, site.url, options);
    open.push(person);
    const { page } = person;
    const feed = line ? '' : 'toasts.source = new EventTarget();';
    site.page = `<!doctype html><html lang="${lang}" dir="${dir}"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><style>${style}</style>
      <body><h1>Another shop</h1><shopbell-toasts ${attributes}></shopbell-toasts>
      <script>window.told = []; for (const type of ['toast', 'click', 'close']) {
        addEventListener('shopbell:' + type, (event) => { window.told.push([type, ...event.detail.ids]); });
      } ${setup}</script>
      <script type="module">import '/widget/shopbell-toasts.js';
        const toasts = document.querySelector('shopbell-toasts'); ${feed} window.ready = true;</script>`;
    await page.goto(path);
    await page.waitForFunction(() => window.ready);
    const say = (type, detail) => page.evaluate(([name, payload]) => {
      document.querySelector('shopbell-toasts').source.dispatchEvent(new CustomEvent(name, { detail: payload }));
    }, [type, detail]);
    /** Once the widget has read the shop's settings: what is asked for after its answer has come is read after it. */
    const settled = async () => {
      await page.waitForFunction(() => performance.getEntriesByName(new URL('/api/shop', location.href).href)[0]?.responseEnd);
      await page.evaluate(() => fetch('/api/shop').then((response) => response.json()));
    };
    return { ...person, site, say, settled, toasts: page.locator('shopbell-toasts [data-role="toast"]') };
  }

  return { host, gateway };
}
