// Tests that fail, each at another point, for `each-database.test.js`. Not run by themselves.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';

import { onEachDatabase } from './each-database.js';

onEachDatabase('failing', (fixture) => {
  test('with a page that polls and a gateway', async () => {
    await fixture.connect({ stream: false });
    assert.fail('on purpose');
  });

  test('with an error that the page logs', async () => {
    const page = await fixture.open();
    await page.evaluate(() => console.error('on purpose'));
  });

  test('with another service', async () => {
    await fixture.another();
    assert.fail('on purpose');
  });

  describe('in a hook of its own', () => {
    afterEach(() => assert.fail('on purpose'));
    test('with a page', () => fixture.open());
  });

  test('and one that passes after them', async () => {
    const page = await fixture.open();
    await page.locator('.new-todo').waitFor();
  });
});
