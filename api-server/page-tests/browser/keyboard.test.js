// Everything by keyboard alone, from an empty page to an empty page: what can be done with a mouse can be
// done so, and the focus is never lost.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { eventually, loaded, saved, shows } from './chromium.js';
import { onEachDatabase } from './each-database.js';

onEachDatabase('the keyboard', (fixture) => {
  let service;
  let page;
  let press;

  beforeEach(async () => {
    ({ service } = fixture);
    page = await fixture.open();
    await loaded(page);
    press = (key) => page.keyboard.press(key);
  });

  const enter = async (...texts) => {
    for (const text of texts) {
      await page.keyboard.type(text);
      await press('Enter');
    }
  };
  /** Presses Tab until an element has the focus that a selector matches. */
  const tabTo = async (selector, { back = false, from = page } = {}) => {
    for (let steps = 0; steps < 60; steps += 1) {
      if (await from.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
      await from.keyboard.press(back ? 'Shift+Tab' : 'Tab');
    }
    assert.fail(`no Tab leads to ${selector}`);
  };
  const focused = () =>
    page.evaluate(() => document.activeElement.closest('li')?.querySelector('label')?.textContent);
  const hasFocus = (selector) =>
    eventually(async () =>
      assert.ok(await page.evaluate((wanted) => document.activeElement.matches(wanted), selector), selector),
    );
  const stored = (check) => eventually(async () => check(await service.todos()));

  test('todos are made, completed, moved, edited, deleted and brought back', async () => {
    await enter('a', 'b', 'c');
    await shows(page, ['a', 'b', 'c']);
    await tabTo('.toggle');
    assert.equal(await focused(), 'a');
    await press('ArrowDown');
    assert.equal(await focused(), 'b');
    await press('Space');
    await stored((todos) => assert.ok(todos.find(({ title }) => title === 'b').completed));
    await press('Alt+ArrowUp');
    await shows(page, ['b', 'a', 'c']);
    assert.equal(await focused(), 'b');
    assert.equal(await page.locator('.announcer').textContent(), 'Moved to position 1 of 3');
    await press('Shift+Tab');
    await hasFocus('.handle');
    await press('End');
    await shows(page, ['a', 'c', 'b']);
    assert.equal(await focused(), 'b');
    await tabTo('.toggle');
    await press('ArrowUp');
    await press('F2');
    await enter('!');
    await shows(page, ['a', 'c!', 'b']);
    assert.equal(await focused(), 'c!');
    await press('Enter');
    await hasFocus('.edit');
    await press('Escape');
    assert.equal(await focused(), 'c!');
    await press('Delete');
    await shows(page, ['a', 'b']);
    assert.equal(await focused(), 'b');
    await press('Control+z');
    await shows(page, ['a', 'c!', 'b']);
    await saved(page);
  });

  test('the last todo leaves the focus at the input, and its notice is reached by Tab', async () => {
    await enter('a');
    await tabTo('.toggle');
    await press('Delete');
    await shows(page, []);
    await hasFocus('.new-todo');
    await tabTo('.notice button', { back: true });
    await tabTo('.notice button:first-of-type', { back: true });
    await press('Enter');
    await shows(page, ['a']);
    await hasFocus('.new-todo');
  });

  test('the details of a todo are changed, or left alone', async () => {
    await enter('a');
    await saved(page);
    await tabTo('.details');
    await press('Enter');
    await hasFocus('dialog [name=title]');
    await press('End');
    await page.keyboard.type('!');
    await tabTo('dialog [name=priority]');
    await press('ArrowDown');
    await tabTo('dialog [name=tags]');
    await page.keyboard.type('home, garden');
    await press('Enter');
    await shows(page, ['a!']);
    await hasFocus('.details');
    await stored(([{ priority, tags }]) => assert.deepEqual([priority, tags], ['high', ['home', 'garden']]));
    await press('Enter');
    await page.keyboard.type('not kept');
    await press('Escape');
    await hasFocus('.details');
    await shows(page, ['a!']);
  });

  test('lists are made, renamed, opened and deleted', async () => {
    page.expected.push(/405/);
    await tabTo('.new-list', { back: true });
    await press('Enter');
    await hasFocus('dialog [name=name]');
    await enter('Shop');
    await eventually(async () => assert.equal(await page.locator('h1').textContent(), 'Shop'));
    await saved(page);
    await tabTo('.rename-list');
    await press('Enter');
    await hasFocus('dialog [name=name]');
    await press('Escape');
    await hasFocus('.rename-list');
    await tabTo('.delete-list');
    await press('Enter');
    await tabTo('dialog .primary');
    await press('Enter');
    await eventually(async () => assert.equal(await page.locator('h1').textContent(), 'todos'));
    await eventually(async () => assert.deepEqual(await service.send('GET', '/lists'), []));
  });

  test('todos are searched, filtered, completed and cleared', async () => {
    await service.create('tea', { tags: ['home'] });
    await service.create('milk');
    await shows(page, ['tea', 'milk']);
    await tabTo('todo-search [name=text]');
    await page.keyboard.type('tea');
    await shows(page, ['tea']);
    await tabTo('.toggle-all');
    await press('Space');
    await stored((todos) => assert.equal(todos.filter(({ completed }) => completed).length, 1));
    await tabTo('todo-search [name=text]', { back: true });
    await press('Control+a');
    await press('Delete');
    await shows(page, ['tea', 'milk']);
    await tabTo('.filters [data-filter=completed]');
    await press('Enter');
    await shows(page, ['tea']);
    await tabTo('.clear-completed');
    await press('Enter');
    await shows(page, []);
    await hasFocus('.new-todo');
  });

  test('a conflict is answered', async () => {
    const connection = await fixture.connect();
    const other = connection.page;
    const id = await connection.editOffline('tea', 'mine');
    await service.send('PATCH', `/todos/${id}`, { title: 'theirs' });
    await connection.repair();
    await other.locator('.chip.conflict').waitFor();
    await tabTo('.chip.conflict', { from: other });
    await other.keyboard.press('Enter');
    await tabTo('dialog .primary', { from: other });
    await other.keyboard.press('Enter');
    await saved(other);
    assert.equal((await service.send('GET', `/todos/${id}`)).title, 'mine');
  });

  test('what has the focus is visible, and shows it', async () => {
    // Without it, what appears when it gets the focus does so over 0.15 s.
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await service.create('tea', { tags: ['home'] });
    await shows(page, ['tea']);
    const seen = new Set();
    for (let steps = 0; steps < 40; steps += 1) {
      await press('Tab');
      const state = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === document.body) return null;
        const { width, height, top, bottom } = element.getBoundingClientRect();
        const { outlineStyle, opacity } = getComputedStyle(element);
        const isSeen = width > 0 && height > 0 && bottom > 0 && top < innerHeight && opacity !== '0';
        return { name: element.outerHTML.slice(0, 80), isSeen, isMarked: outlineStyle !== 'none' };
      });
      if (!state) continue;
      seen.add(state.name);
      assert.ok(state.isSeen && state.isMarked, JSON.stringify(state));
    }
    assert.ok(seen.size > 12, `${seen.size} elements`);
  });
});
