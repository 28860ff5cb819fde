// Debian's Chromium, and pages in it. A page that logs an error, or breaks its Content-Security-Policy, fails
// the test. Steps of one feature only are in its test file.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { chromium } from 'playwright-core';

const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const DEADLINE_MS = 10_000;

export const launch = () =>
  chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

/**
 * Opens a page. `expected` are the errors that it may log, as regular expressions: browsers log failed
 * requests.
 * @returns {Promise<import('playwright-core').Page & {errors: string[], expected: RegExp[]}>}
 */
export async function open(browser, url, { expected = [], context: given, ...options } = {}) {
  // A service worker loads all files once more: only tests of a page without a network pay for that.
  const context =
    given ?? (await browser.newContext({ locale: 'en-US', serviceWorkers: 'block', ...options }));
  if (!given && process.env.PAGE_FOLDER) await serveFrom(context, process.env.PAGE_FOLDER);
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  Object.assign(page, { errors: [], expected: [...expected] });
  const note = (text) => page.expected.some((pattern) => pattern.test(text)) || page.errors.push(text);
  page.on('pageerror', (error) => note(String(error.stack ?? error)));
  page.on(
    'console',
    (message) => message.type() === 'error' && note(`${message.text()} ${message.location().url}`),
  );
  await page.goto(url);
  return page;
}

const TYPES = { '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };

/** The files of the page as they are in a folder now, so that a change of them needs no build to be tried. */
const serveFrom = (context, folder) =>
  context.route(/\/page\/[\w-]{12}\//, (route) => {
    const file = new URL(route.request().url()).pathname.replace(/^.*\/page\/[\w-]{12}\//, '');
    if (file === 'worker.js') return route.continue();
    return route.fulfill({ contentType: TYPES[extname(file)], body: readFileSync(`${folder}/${file}`) });
  });

/** Ends a page, and fails if it logged an error. */
export async function close(page) {
  await page.context().close();
  assert.deepEqual(page.errors, [], 'the page logged no error');
}

/** Awaits that an assertion holds, whose message is that of the error if it never does. */
export async function eventually(assertion) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await assertion();
    } catch (cause) {
      if (Date.now() > end)
        throw new Error(`awaited for ${DEADLINE_MS / 1000} s: ${cause.message}`, { cause });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export const titles = (page) => page.locator('.todo-list li label').allTextContents();

/** Awaits that the list shows these titles. */
export const shows = (page, expected) =>
  eventually(async () => assert.deepEqual(await titles(page), expected));

export async function type(page, ...todos) {
  for (const title of todos) {
    await page.locator('.new-todo').fill(title);
    await page.locator('.new-todo').press('Enter');
  }
}

/** The todo with a title. */
export const todo = (page, title) =>
  page.locator('.todo-list li').filter({ has: page.locator(`label:text-is("${title}")`) });

/** Gives a todo another title, as a person does who edits it in its place. */
export async function retitle(page, title, other) {
  await todo(page, title).locator('label').dblclick();
  await page.locator('.edit').fill(other);
  await page.locator('.edit').press('Enter');
}

/** Awaits that the list was loaded. */
export const loaded = (page) => page.locator('.loading').waitFor({ state: 'hidden' });

/** Awaits that all changes were sent. */
export const saved = (page) =>
  eventually(async () => {
    const names = await page.evaluate(() => Object.keys(localStorage));
    const unsent = names.filter((name) => name.startsWith('todostack') && name.includes('/op/'));
    assert.deepEqual(unsent, [], 'all changes were sent');
  });
