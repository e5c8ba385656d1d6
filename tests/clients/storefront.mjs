/**
 * A shop and the people on its own pages, for the tests of one file: each test has its own people, and fails when anything
 * goes wrong on a page of theirs.
 * Not for: what people do there, nor foreign pages.
 */

import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';

import { newMember } from './people.mjs';
import { openPage, startBrowser, startShop } from './support.mjs';

/** What everyone of `newMember` types. */
export const PASSWORD = 'correct horse';

/**
 * Opens a shop with these flags before the tests of the calling file, and closes it after them.
 * @param {string[]} [args]
 * @param {(shop: any) => unknown} [prepare] what the tests need in the shop
 */
export function storefront(args = [], prepare = () => {}) {
  let people = [];
  const front = { shop: null, browser: null, visitor, guest, member };

  before(async () => {
    front.shop = await startShop(...args);
    front.browser = await startBrowser();
    await prepare(front.shop);
  });
  after(async () => {
    await front.browser?.close();
    await front.shop?.stop();
  });
  afterEach(async () => {
    const problems = people.flatMap((person) => person.problems);
    await Promise.all(people.map(async ({ page, context }) => {
      // What a page still asks for while it closes is nothing that went wrong.
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      await context.close();
    }));
    people = [];
    assert.deepEqual(problems, [], 'nothing goes wrong on any page');
  });

  /** Someone without an account, on no page yet. */
  async function visitor(options) {
    const person = await openPage(front.browser, front.shop.url, options);
    people.push(person);
    return person;
  }

  /** The same, who may be told "nobody" when a page asks who that is. */
  async function guest(options) {
    const person = await visitor(options);
    person.allow(401);
    return person;
  }

  /** Someone with a new account, logged in, on a page. */
  async function member(nickname, path = '/', options = {}) {
    const account = await newMember(front.shop, nickname);
    const person = await guest(options);
    await person.page.goto(`/login.html?next=${encodeURIComponent(path)}`);
    await logInOn(person.page, nickname);
    await person.page.waitForURL((url) => url.pathname + url.search === path);
    await person.page.locator('[data-role="account-nickname"]', { hasText: nickname }).waitFor();
    return { ...person, account };
  }

  return front;
}

/** Fills in the page's form, or another by its selector, and sends it. */
export async function fillIn(page, values, form = 'main form') {
  for (const [name, value] of Object.entries(values)) await page.locator(`${form} [name=${name}]`).fill(value);
  await page.locator(`${form} [type=submit]`).click();
}

/** Logs in on `/login.html`. */
export const logInOn = (page, nickname, password = PASSWORD) => fillIn(page, { email: `${nickname}@example.com`, password });

/** The toasts of a page. */
export const toasts = (page) => page.locator('shopbell-toasts [data-role="toast"]');
