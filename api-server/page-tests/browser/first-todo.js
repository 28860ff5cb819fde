// Measures how long a browser that has never been here takes until it shows the first todo: `npm run bench`.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { open } from './chromium.js';
import { Fixture } from './each-database.js';

const LOADS = Number(process.env.LOADS ?? 50);
const TODOS = 50;
const GOAL_MS = 200;
const GOAL_BYTES = 60 * 1024;

/** Notes the time since the navigation began at which a todo was painted. */
function watch() {
  const observer = new MutationObserver(() => {
    if (!document.querySelector('.todo-list label')) return;
    observer.disconnect();
    // After the frame that has it.
    requestAnimationFrame(() => setTimeout(() => (globalThis.firstTodo = performance.now())));
  });
  observer.observe(document, { childList: true, subtree: true });
}

async function load(fixture) {
  // A new context has no cache.
  const context = await fixture.browser.newContext({ serviceWorkers: 'block' });
  await context.addInitScript(watch);
  const page = await open(fixture.browser, fixture.service.url, { context });
  const time = await page.waitForFunction(() => globalThis.firstTodo);
  const milliseconds = await time.jsonValue();
  await context.close();
  return milliseconds;
}

/** What a browser loads of the page, compressed. */
function size() {
  const folder = fileURLToPath(new URL('../../page/', import.meta.url));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const contents = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name)));
  return contents.reduce((sum, content) => sum + gzipSync(content, { level: 9 }).length, 0);
}

async function measure() {
  const fixture = new Fixture();
  await fixture.start('sqlite');
  try {
    for (let index = 0; index < TODOS; index += 1) await fixture.service.create(`Todo ${index}`);
    const times = [];
    // The first load finds a browser that is still starting.
    await load(fixture);
    for (let index = 0; index < LOADS; index += 1) times.push(await load(fixture));
    return times.sort((a, b) => a - b);
  } finally {
    await fixture.stop();
  }
}

const times = await measure();
const at = (part) => Math.round(times[Math.floor(part * (times.length - 1))]);
const [median, bytes] = [at(0.5), size()];
console.log(`first todo visible: median ${median} ms, p95 ${at(0.95)} ms, ${LOADS} loads, ${TODOS} todos`);
console.log(`size of the page: ${(bytes / 1024).toFixed(1)} KiB of gzip`);
if (median > GOAL_MS || bytes > GOAL_BYTES) {
  console.error(`The goal is ${GOAL_MS} ms and ${GOAL_BYTES / 1024} KiB.`);
  process.exitCode = 1;
}
