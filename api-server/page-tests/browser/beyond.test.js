// What the page does beyond TodoMVC: lists, details, search, order, bulk changes, undo.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { eventually, loaded, saved, shows, titles, todo, type } from './chromium.js';
import { onEachDatabase } from './each-database.js';

onEachDatabase('beyond TodoMVC', (fixture) => {
  let service;
  let page;
  const stored = (check) => eventually(async () => check(await service.todos()));
  const notice = (text) => page.locator('.notice', { hasText: text });
  const list = (name) => page.locator('.lists a', { hasText: name });
  const answer = async (name) => {
    await page.locator('dialog input').fill(name);
    await page.locator('dialog .primary').click();
  };

  beforeEach(async () => {
    ({ service } = fixture);
    page = await fixture.open();
    await loaded(page);
  });

  test('the details of a todo are changed in a dialog', async () => {
    await type(page, 'tea');
    await todo(page, 'tea').locator('.details').click();
    const dialog = page.locator('dialog');
    await dialog.locator('[name=title]').fill('green tea');
    await dialog.locator('[name=due]').fill('2026-11-20');
    await dialog.locator('[name=priority]').selectOption('high');
    await dialog.locator('[name=tags]').fill(' home, shop ,home,');
    await dialog.locator('.primary').click();
    await stored(([only]) => {
      const { title, dueDate, priority, tags } = only;
      assert.deepEqual(
        [title, dueDate, priority, tags],
        ['green tea', '2026-11-20', 'high', ['home', 'shop']],
      );
    });
    assert.deepEqual(
      await page.locator('.chip').allTextContents(),
      ['Priority: High', 'Due date: Nov 20, 2026', 'home', 'shop'].map((text) =>
        text.replace('Due date', new Date() > new Date('2026-11-21') ? 'Overdue' : 'Due date'),
      ),
    );
    await todo(page, 'green tea').locator('.details').click();
    await dialog.locator('[name=due]').fill('');
    await dialog.locator('[name=priority]').selectOption('');
    await dialog.locator('[name=tags]').fill('');
    await dialog.locator('.primary').click();
    await stored(([{ dueDate, priority, tags }]) =>
      assert.deepEqual([dueDate, priority, tags], [null, null, []]),
    );
  });

  test('a list is made, its todos are its own, and it is deleted and brought back with them', async () => {
    await type(page, 'of nobody');
    await page.locator('.new-list').click();
    await answer('Shopping');
    await eventually(async () => assert.equal(await page.locator('h1').textContent(), 'Shopping'));
    await shows(page, []);
    await type(page, 'milk', 'bread');
    await saved(page);
    const [{ id }] = await service.send('GET', '/lists');
    assert.deepEqual(
      (await service.todos(id)).map(({ title }) => title),
      ['milk', 'bread'],
    );
    assert.match(page.url(), new RegExp(`list=${id}$`));

    await page.locator('.delete-list').click();
    assert.match(await page.locator('dialog').textContent(), /“Shopping” and its 2 todos/);
    await page.locator('dialog .primary').click();
    await shows(page, ['of nobody']);
    await eventually(async () => assert.deepEqual(await service.send('GET', '/lists'), []));
    await notice('deleted').locator('button', { hasText: 'Undo' }).click();
    await shows(page, ['milk', 'bread']);
    await saved(page);
    const [again] = await service.send('GET', '/lists');
    assert.deepEqual((await service.todos(again.id)).map(({ title }) => title).sort(), ['bread', 'milk']);
  });

  test('a list is renamed, or the page says that the service cannot', async () => {
    const { id } = await service.send('POST', '/lists', { name: 'Shop' });
    const options = await fetch(`${service.url}/lists/${id}`, { method: 'OPTIONS' });
    const isSupported = options.headers.get('allow').includes('PATCH');
    if (!isSupported) page.expected.push(/405/);
    await page.reload();
    await list('Shop').click();
    await page.locator('.rename-list').click();
    await answer('Market');
    if (isSupported) {
      await eventually(async () => assert.equal((await service.send('GET', `/lists/${id}`)).name, 'Market'));
    } else {
      await notice('The list “Market” was not changed: this service does not support it.').waitFor();
    }
    assert.equal(await page.locator('h1').textContent(), isSupported ? 'Market' : 'Shop');
  });

  test('a todo is moved to another list with all it has', async () => {
    const { id } = await service.send('POST', '/lists', { name: 'Shop' });
    await service.create('milk', { tags: ['a'], priority: 'low', completed: true });
    await page.reload();
    await todo(page, 'milk').locator('.details').click();
    await page.locator('dialog [name=list]').selectOption('Shop');
    await page.locator('dialog .primary').click();
    await shows(page, []);
    await saved(page);
    assert.deepEqual(await service.todos(), []);
    const [{ title, tags, priority, completed }] = await service.todos(id);
    assert.deepEqual([title, tags, priority, completed], ['milk', ['a'], 'low', true]);
    await list('Shop').click();
    await shows(page, ['milk']);
  });

  test('a todo is dragged to another place, and onto a list', async () => {
    const { id } = await service.send('POST', '/lists', { name: 'Shop' });
    for (const title of ['a', 'b', 'c']) await service.create(title);
    await page.reload();
    await shows(page, ['a', 'b', 'c']);
    const drag = async (from, to) => {
      await from.hover();
      await page.mouse.down();
      const { x, y, width, height } = await to.boundingBox();
      await page.mouse.move(x + width / 2, y + height * 0.4, { steps: 8 });
      await page.mouse.up();
    };
    await drag(todo(page, 'c').locator('.handle'), todo(page, 'a').locator('.handle'));
    await shows(page, ['c', 'a', 'b']);
    await saved(page);
    await page.reload();
    await shows(page, ['c', 'a', 'b']);
    await drag(todo(page, 'a').locator('.handle'), list('Shop'));
    await shows(page, ['c', 'b']);
    await saved(page);
    assert.deepEqual(
      (await service.todos(id)).map(({ title }) => title),
      ['a'],
    );
  });

  test('a search is in the address, and bulk changes concern what it finds', async () => {
    await service.create('Café', { tags: ['home'], priority: 'high' });
    await service.create('tea', { tags: ['home', 'shop'], dueDate: '2020-01-01' });
    await service.create('milk');
    await page.reload();
    await shows(page, ['Café', 'tea', 'milk']);
    await page.locator('[name=text]').fill('cafe');
    await shows(page, ['Café']);
    assert.match(page.url(), /#\/\?q=cafe$/);
    await page.locator('[name=text]').fill('');
    await page.locator('todo-search [name=tag]').selectOption('home');
    await shows(page, ['Café', 'tea']);
    await page.locator('todo-search [name=due]').selectOption('overdue');
    await shows(page, ['tea']);
    await page.reload();
    await shows(page, ['tea']);
    // Not `check`: what is completed is no longer overdue, so that nothing is found and nothing checked.
    await page.locator('.toggle-all').click();
    await stored((todos) =>
      assert.deepEqual(
        todos.filter(({ completed }) => completed).map(({ title }) => title),
        ['tea'],
      ),
    );
    await page.locator('.nothing').waitFor();
    await page.locator('todo-search [name=due]').selectOption('');
    await page.locator('.clear-completed').click();
    await shows(page, ['Café']);
    await page.locator('todo-search [name=tag]').selectOption('');
    await shows(page, ['Café', 'milk']);
    await todo(page, 'Café').locator('.chip.tag').click();
    await shows(page, ['Café']);
  });

  test('todos that were cleared come back to their places', async () => {
    await type(page, 'a', 'b', 'c', 'd');
    for (const title of ['b', 'd']) await todo(page, title).locator('.toggle').check();
    await saved(page);
    await page.locator('.clear-completed').click();
    await shows(page, ['a', 'c']);
    await stored((todos) => assert.equal(todos.length, 2));
    await notice('2 todos deleted').locator('button', { hasText: 'Undo' }).click();
    await shows(page, ['a', 'b', 'c', 'd']);
    await saved(page);
    await page.reload();
    await shows(page, ['a', 'b', 'c', 'd']);
    await stored((todos) =>
      assert.deepEqual(
        todos
          .filter(({ completed }) => completed)
          .map(({ title }) => title)
          .sort(),
        ['b', 'd'],
      ),
    );
  });

  test('thousands of todos are all loaded, and shown a few hundred at a time', async () => {
    for (let group = 0; group < 12; group += 1) {
      await Promise.all(
        Array.from({ length: 100 }, (_, index) => service.create(`todo ${group * 100 + index}`)),
      );
    }
    await page.reload();
    await eventually(async () =>
      assert.equal(await page.locator('.todo-count').textContent(), '1,200 items left'),
    );
    assert.equal((await titles(page)).length, 200);
    await page.locator('.more').click();
    assert.equal((await titles(page)).length, 400);
    await page.locator('[name=text]').fill('todo 1199');
    await shows(page, ['todo 1199']);
  });
});
