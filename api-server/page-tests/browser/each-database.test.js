// What holds for all tests in a browser: one that fails ends nothing but itself, and leaves nothing behind.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const DEADLINE_MS = 60_000;

test('tests that fail at any point end, and so do the services and browsers that they used', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'todostack-page-failing-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = fileURLToPath(new URL('failing.js', import.meta.url));
  // On SQLite alone, and not as a part of this run.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const env = { ...inherited, DATABASE_URL: '', TMPDIR: folder };
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap', file], { env });
  const late = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const end = await new Promise((resolve) => child.once('close', (...all) => resolve(all)));
  clearTimeout(late);
  assert.deepEqual(end, [1, null], output);
  assert.match(output, /^# pass 1$/m, output);
  assert.match(output, /^# fail 4$/m, output);
  // Each service and each browser has a folder here until it has ended.
  assert.deepEqual(readdirSync(folder), []);
});
