import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { openPage, startBrowser, startShop } from './support.mjs';
const [out, ...args] = process.argv.slice(2);
await mkdir(out, { recursive: true });
const shop = await startShop(...args);
const browser = await startBrowser();
const problems = [];
try {
for (const colorScheme of ['light', 'dark']) for (const [device, options] of [['desktop', { viewport: { width: 1280, height: 800 } }], ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true }]]) {
  const p = await openPage(browser, shop.url, { ...options, colorScheme, reducedMotion: 'reduce' });
  for (const s of [401, 404]) p.allow(s);
  const shot = async (name, path, sel) => {
    await p.page.goto(path); await p.page.locator(sel).first().waitFor(); await p.page.waitForLoadState('networkidle');
    await p.page.evaluate(() => Promise.all([...document.images].map((i) => i.complete || i.loading === 'lazy' || new Promise((r) => { i.onload = i.onerror = r; }))).then(() => 0)).catch(() => {});
    await p.page.screenshot({ path: `${out}/${name}-${device}-${colorScheme}.png` });
  };
  await shot('login', '/login.html', 'form'); await shot('register', '/register.html', 'form'); await shot('404', '/nothing-here', 'main h1');
  const { page } = p;
  await page.goto('/login.html');
  await page.locator('[name=email]').fill(shop.shopper.email); await page.locator('[name=password]').fill(shop.shopper.password);
  await page.locator('[type=submit]').click(); await page.locator('[data-role="account-nickname"]').waitFor();
  await page.waitForURL((u) => u.pathname === '/');
  await shot('index', '/', 'article[data-goods-id]'); await shot('goods', '/goods.html', 'article[data-goods-id]');
  await shot('detail', '/detail.html?goodsId=3', 'article.detail');
  await page.locator('[data-action="add-to-cart"]').click(); await page.locator('[data-role="cart-count"]').waitFor();
  await shot('cart', '/cart.html', 'li.line'); await shot('order', '/order.html', '[data-action="place-order"]');
  await page.locator('[data-action="place-order"]').click(); await page.locator('[data-role="order-done"]').waitFor();
  await page.locator('shopbell-toasts [data-role="toast"]').first().waitFor();
  await page.screenshot({ path: `${out}/done-${device}-${colorScheme}.png` });
  await shot('orders', '/orders.html', 'li.order h2'); await shot('account', '/account.html', '.account');
  problems.push(...p.problems); await p.context.close();
}
} catch (e) { console.log(e); } finally {
console.log(problems);
await browser.close(); await shop.stop(); }
