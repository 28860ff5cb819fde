// A todo that was changed here and elsewhere: the person chooses, and nothing is overwritten without a word.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { saved, shows } from './chromium.js';
import { onEachDatabase } from './each-database.js';

onEachDatabase('conflicts', (fixture) => {
  let service;
  let connection;
  let page;

  beforeEach(async () => {
    connection = await fixture.connect();
    ({ service, page } = connection);
  });

  const get = (id) => service.send('GET', `/todos/${id}`);

  for (const [button, kept] of [
    ['Keep my version', 'mine'],
    ['Keep the other version', 'theirs'],
  ]) {
    test(`a conflict shows both versions, and the person chooses: ${button}`, async () => {
      const id = await connection.editOffline('tea', 'mine');
      await service.send('PATCH', `/todos/${id}`, { title: 'theirs' });
      await connection.repair();
      await page.locator('.chip.conflict').click();
      const cells = await page.locator('dialog td').allTextContents();
      assert.deepEqual(cells, ['', 'mine', 'theirs']);
      assert.equal((await get(id)).title, 'theirs', 'nothing was sent without an answer');
      await page.locator('dialog button', { hasText: button }).click();
      await shows(page, [kept]);
      await saved(page);
      assert.equal((await get(id)).title, kept);
    });
  }

  test('Escape leaves the question open, and it can be asked again', async () => {
    const id = await connection.editOffline('tea', 'mine');
    await service.send('PATCH', `/todos/${id}`, { title: 'theirs' });
    await connection.repair();
    await page.locator('.chip.conflict').click();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.locator('.chip.conflict').click();
    await page.locator('dialog button', { hasText: 'Keep my version' }).click();
    await saved(page);
    assert.equal((await get(id)).title, 'mine');
  });

  test('changes of different fields are both kept, without a question', async () => {
    const id = await connection.editOffline('tea', 'green tea');
    await service.send('PATCH', `/todos/${id}`, { completed: true });
    await connection.repair();
    await saved(page);
    const { title, completed } = await get(id);
    assert.deepEqual([title, completed], ['green tea', true]);
    assert.equal(await page.locator('.chip.conflict').count(), 0);
  });

  test('a todo that was changed here and deleted elsewhere can be created again', async () => {
    const id = await connection.editOffline('tea', 'green tea');
    await service.send('DELETE', `/todos/${id}`);
    await connection.repair();
    const notice = page.locator('.notice', { hasText: 'changed here and elsewhere' });
    await notice.locator('button', { hasText: 'Resolve' }).click();
    await page.locator('dialog button', { hasText: 'Create it again' }).click();
    await shows(page, ['green tea']);
    await saved(page);
    assert.deepEqual(
      (await service.todos()).map(({ title }) => title),
      ['green tea'],
    );
  });
});
