// Debian's Chromium, and pages in it. A page that logs an error, or breaks its Content-Security-Policy, fails the
// test.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const DEADLINE_MS = 10_000;

export const launch = () => chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

/**
 * Opens a page. `expected` are the errors that it may log, as regular expressions: browsers log failed requests.
 * @returns {Promise<import('playwright-core').Page & {errors: string[]}>}
 */
export async function open(browser, url, { expected = [], context: given, ...options } = {}) {
  const context = given ?? (await browser.newContext({ locale: 'en-US', ...options }));
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  page.errors = [];
  const note = (text) => expected.some((pattern) => pattern.test(text)) || page.errors.push(text);
  page.on('pageerror', (error) => note(String(error.stack ?? error)));
  page.on('console', (message) => message.type() === 'error' && note(`${message.text()} ${message.location().url}`));
  // Until there is a stream at `todos/events`, the answer is 404, which Chromium logs.
  expected.push(/\/todos\/events/);
  await page.goto(url);
  return page;
}

/** Ends a page, and fails if it logged an error. */
export async function close(page) {
  await page.context().close();
  assert.deepEqual(page.errors, []);
}

/** Awaits that an assertion holds. */
export async function eventually(assertion) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export const titles = (page) => page.locator('.todo-list li label').allTextContents();

/** Awaits that the list shows these titles. */
export const shows = (page, expected) => eventually(async () => assert.deepEqual(await titles(page), expected));

export async function type(page, ...todos) {
  for (const title of todos) {
    await page.locator('.new-todo').fill(title);
    await page.locator('.new-todo').press('Enter');
  }
}

/** The todo with a title. */
export const todo = (page, title) => page.locator('.todo-list li').filter({ has: page.locator(`label:text-is("${title}")`) });

/** Awaits that all changes were sent. */
export const saved = (page) =>
  page.waitForFunction(() => !Object.keys(localStorage).some((name) => name.startsWith('todostack') && name.includes('/op/')));
