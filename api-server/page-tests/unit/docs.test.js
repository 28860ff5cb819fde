// `docs/page.md` refers to what there is.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { PICTURES } from '../browser/picture-list.js';

const MAX_BYTES = 60 * 1024;

const root = fileURLToPath(new URL('../../../', import.meta.url));
const text = readFileSync(`${root}docs/page.md`, 'utf8');
const matches = (pattern) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name))].sort();

test('the page shows each picture that is taken, and no other', () => {
  const taken = PICTURES.map(({ name }) => `${name}.png`).sort();
  assert.deepEqual(matches(/\]\(page\/([^)]+)\)/g), taken);
  assert.deepEqual(readdirSync(`${root}docs/page`).sort(), taken);
});

test('no picture has more than 60 KiB', () => {
  for (const { name } of PICTURES) {
    const { size } = statSync(`${root}docs/page/${name}.png`);
    assert.ok(size <= MAX_BYTES, `${name}: ${size} bytes`);
  }
});

test('the tests that it names exist', () => {
  const names = matches(/`((?:browser|unit|api-server)\/[\w/.-]+\.(?:js|rs))`/g);
  assert.ok(names.length > 10, names.join(' '));
  for (const name of names) {
    const path = name.startsWith('api-server') ? name : `api-server/page-tests/${name}`;
    assert.ok(existsSync(root + path), path);
  }
});
