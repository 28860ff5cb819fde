// Changes of others on an open page: by the stream, after it was cut, and without one. What is done offline
// is in `offline.test.js`.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { eventually, loaded, retitle, saved, shows, todo, type } from './chromium.js';
import { onEachDatabase } from './each-database.js';

onEachDatabase('live', (fixture) => {
  let service;
  let connection;
  let page;
  let gateway;
  const start = async (options) => {
    connection = await fixture.connect(options);
    ({ page, gateway } = connection);
  };

  beforeEach(() => ({ service } = fixture));

  test('changes of others appear without a reload', async () => {
    await start();
    const { id } = await gateway.send('POST', 'todos', { title: 'tea' });
    await shows(page, ['tea']);
    await gateway.send('PATCH', `todos/${id}`, { title: 'milk', completed: true });
    await shows(page, ['milk']);
    assert.ok(await page.locator('.toggle').isChecked());
    const list = await gateway.send('POST', 'lists', { name: 'Shop' });
    await page.locator('.lists a', { hasText: 'Shop' }).click();
    await eventually(async () => assert.equal(await page.locator('h1').textContent(), 'Shop'));
    await gateway.send('POST', `lists/${list.id}/todos`, { title: 'bread' });
    await shows(page, ['bread']);
    await gateway.send('DELETE', `lists/${list.id}`);
    await shows(page, ['milk']);
    await gateway.send('DELETE', `todos/${id}`);
    await shows(page, []);
    assert.equal(connection.requestsOf('/todos/events').length, 1);
  });

  test('an own todo is not shown twice, whichever comes first: the event or the answer', async () => {
    await start();
    await type(page, 'a', 'b', 'c');
    await shows(page, ['a', 'b', 'c']);
    await saved(page);
    await shows(page, ['a', 'b', 'c']);
  });

  test('a stream that is cut resumes where it was, without a gap', async () => {
    await start();
    await gateway.send('POST', 'todos', { title: 'a' });
    await shows(page, ['a']);
    const before = connection.requestsOf('/todos?').length;
    gateway.cut();
    await gateway.send('POST', 'todos', { title: 'b' });
    await shows(page, ['a', 'b']);
    assert.equal(connection.requestsOf('/todos?').length, before, 'nothing was loaded again');
    const resumed = connection.requestsOf('/todos/events').at(-1);
    assert.ok(resumed.headers['last-event-id']);
  });

  test('after a reset everything is loaded again', async () => {
    await start();
    const before = connection.requestsOf('/todos?').length;
    gateway.emit('reset', {});
    await eventually(() => assert.equal(connection.requestsOf('/todos?').length, before + 1));
  });

  test('an event that the page does not understand ends neither the stream nor the page', async () => {
    await start();
    gateway.emit('todo', 'not a todo');
    gateway.emit('of-a-later-version', {});
    await gateway.send('POST', 'todos', { title: 'after' });
    await shows(page, ['after']);
    await connection.hasState('live');
    assert.equal(connection.requestsOf('/todos/events').length, 1);
  });

  test('without a stream the page asks again and again, and says so', async () => {
    await start({ stream: false });
    await connection.says(/Changes of others show within 5 seconds/);
    await service.create('tea');
    await shows(page, ['tea']);
  });

  test('what somebody types is not lost when somebody else deletes the todo', async () => {
    await start();
    const { id } = await gateway.send('POST', 'todos', { title: 'tea' });
    await todo(page, 'tea').locator('label').dblclick();
    await page.locator('.edit').fill('green tea');
    await gateway.send('DELETE', `todos/${id}`);
    await eventually(async () => assert.equal(await page.locator('.todo-count strong').textContent(), '0'));
    assert.equal(await page.locator('.edit').inputValue(), 'green tea');
    await page.locator('.edit').press('Enter');
    const notice = page.locator('.notice', { hasText: 'changed here and elsewhere' });
    await notice.locator('button', { hasText: 'Resolve' }).click();
    await page.locator('dialog button', { hasText: 'Create it again' }).click();
    await shows(page, ['green tea']);
  });

  test('an edit that is given up after somebody else deleted the todo leaves an empty list', async () => {
    await start();
    const { id } = await gateway.send('POST', 'todos', { title: 'tea' });
    await todo(page, 'tea').locator('label').dblclick();
    await gateway.send('DELETE', `todos/${id}`);
    await eventually(async () => assert.equal(await page.locator('.todo-count strong').textContent(), '0'));
    await page.locator('.edit').press('Escape');
    await page.locator('.main').waitFor({ state: 'hidden' });
    assert.ok(await page.locator('.new-todo').evaluate((input) => input === document.activeElement));
  });

  test('a title that somebody else changes while it is edited here is a conflict', async () => {
    await start();
    const { id } = await service.create('tea');
    await todo(page, 'tea').locator('label').dblclick();
    await page.locator('.edit').fill('mine');
    await service.send('PATCH', `/todos/${id}`, { title: 'theirs' });
    await page.locator('.todo label', { hasText: 'theirs' }).waitFor({ state: 'attached' });
    await page.locator('.edit').press('Enter');
    await page.locator('.chip.conflict').waitFor();
  });

  test('what one browser changes appears in another', async () => {
    await start();
    const other = await fixture.open();
    await loaded(other);
    await type(page, 'tea', 'milk');
    await shows(other, ['tea', 'milk']);
    await todo(other, 'tea').locator('.toggle').check();
    await eventually(async () => assert.ok(await todo(page, 'tea').locator('.toggle').isChecked()));
    await retitle(other, 'milk', 'bread');
    await shows(page, ['tea', 'bread']);
    await page.locator('.clear-completed').click();
    await shows(other, ['bread']);
  });
});
