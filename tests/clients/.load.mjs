import { openPage, startBrowser, startShop } from './support.mjs';
const [label, ...args] = process.argv.slice(2);
const shop = await startShop(...args);
const browser = await startBrowser();
try {
  for (const latency of [0, 40]) for (const path of ['/', '/detail.html?goodsId=1', '/login.html']) {
    const cold = [], dcl = []; let requests, types;
    for (let n = 0; n < 9; n += 1) {
      const p = await openPage(browser, shop.url); p.allow(401);
      const cdp = await p.context.newCDPSession(p.page);
      await cdp.send('Network.enable');
      if (latency) await cdp.send('Network.emulateNetworkConditions', { offline: false, latency, downloadThroughput: -1, uploadThroughput: -1 });
      await p.page.goto(path); await p.page.locator('main h1').first().waitFor();
      const m = await p.page.evaluate(() => { const r = performance.getEntriesByType('resource'); const js = r.filter((x) => x.name.endsWith('.js')); return { n: r.length + 1, js: Math.max(...js.map((x) => x.responseEnd)), fcp: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0, types: Object.entries(Object.groupBy(js, (x) => x.initiatorType)).map(([k, v]) => `${k}:${v.length}`).join(' ') }; });
      cold.push(m.js); dcl.push(m.fcp); requests = m.n; types = m.types; await p.context.close();
    }
    const med = (a) => a.sort((x, y) => x - y)[a.length >> 1].toFixed(0);
    console.log(label, `latency ${latency}`, path, `requests ${requests}`, `modules loaded ${med(cold)} ms`, `FCP ${med(dcl)} ms`, types);
  }
} finally { await browser.close(); await shop.stop(); }
