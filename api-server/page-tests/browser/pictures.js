// Takes the pictures of `docs/page.md`: `npm run pictures`. Each is of a state that the tests look at too.

import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { Fixture } from './each-database.js';
import { PICTURES } from './picture-list.js';
import { STATES } from './states.js';

const FOLDER = fileURLToPath(new URL('../../../docs/page/', import.meta.url));

async function take(fixture, { name, state, dir, ...options }) {
  await fixture.begin();
  const { open } = STATES.find((one) => one.name === state);
  const page = await open(fixture, { reducedMotion: 'reduce', ...options });
  if (dir) await page.evaluate((value) => (document.documentElement.dir = value), dir);
  // The pointer shows the buttons of the todo below it.
  await page.mouse.move(0, 0);
  await page.screenshot({ path: `${FOLDER}${name}.png`, caret: 'initial' });
  await fixture.end();
}

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
for (const login of [undefined, true, false]) {
  const own = PICTURES.filter(({ state }) => STATES.find(({ name }) => name === state).login === login);
  if (own.length === 0) continue;
  const fixture = new Fixture();
  await fixture.start('sqlite', { login });
  try {
    for (const picture of own) await take(fixture, picture);
  } finally {
    await fixture.stop();
  }
}
