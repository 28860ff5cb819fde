// What the published suites of TodoMVC hold (tastejs/todomvc: cypress/e2e/spec.cy.js, tests/test.js). Where
// they look into localStorage, this asks the service. What they lack is in `beyond.test.js`.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { eventually, loaded, shows, type } from './chromium.js';
import { onEachDatabase } from './each-database.js';

const [ONE, TWO, THREE] = ['wash the dishes', 'water the plants', 'call a plumber'];

onEachDatabase('TodoMVC', (fixture) => {
  let service;
  let page;
  const items = () => page.locator('.todo-list li');
  const toggle = (index) => items().nth(index).locator('.toggle');
  const edit = () => items().nth(1).locator('.edit');
  const all = () => page.locator('.toggle-all');
  const clear = () => page.locator('.clear-completed');
  const filter = (name) => page.locator('.filters li a', { hasText: name });
  const stored = (check) => eventually(async () => check(await service.todos()));
  const storesTitles = (...expected) =>
    stored((todos) =>
      assert.deepEqual(
        todos.map(({ title }) => title),
        expected,
      ),
    );
  const storesCompleted = (n) =>
    stored((todos) => assert.equal(todos.filter(({ completed }) => completed).length, n));
  const isVisible = (selector, expected) =>
    eventually(async () => assert.equal(await page.locator(selector).isVisible(), expected));
  const isChecked = (expected) => eventually(async () => assert.equal(await all().isChecked(), expected));
  /** Which of the todos have the class `completed`. */
  const areCompleted = (...expected) =>
    eventually(async () => {
      const found = await items().evaluateAll((all) => all.map((li) => li.classList.contains('completed')));
      assert.deepEqual(found, expected);
    });
  const isSelected = (expected) =>
    eventually(async () =>
      assert.deepEqual(await page.locator('.filters a.selected').allTextContents(), [expected]),
    );
  const createThree = async () => {
    await type(page, ONE, TWO, THREE);
    await storesTitles(ONE, TWO, THREE);
  };

  beforeEach(async () => {
    ({ service } = fixture);
    page = await fixture.open();
    await page.locator('h1', { hasText: /^todos$/i }).waitFor();
    await loaded(page);
    await shows(page, []);
  });

  test('the input for a new todo has the focus', () =>
    eventually(async () =>
      assert.ok(await page.evaluate(() => document.activeElement.matches('.new-todo'))),
    ));

  test('without todos there are neither the list nor the footer', async () => {
    assert.equal(await items().count(), 0);
    await isVisible('.main', false);
    await isVisible('.footer', false);
  });

  describe('a new todo', () => {
    test('comes by its title and Enter, and leaves an empty input', async () => {
      for (const title of [ONE, TWO]) {
        await page.locator('.new-todo').pressSequentially(title);
        await page.locator('.new-todo').press('Enter');
      }
      assert.equal(await page.locator('.new-todo').inputValue(), '');
      await shows(page, [ONE, TWO]);
      await storesTitles(ONE, TWO);
    });

    test('comes after those that there are, and is counted', async () => {
      await createThree();
      await shows(page, [ONE, TWO, THREE]);
      assert.match(await page.locator('span.todo-count').textContent(), /3/);
    });

    test('has no white space around its title, and brings the list and the footer', async () => {
      await type(page, `    ${ONE}    `);
      await shows(page, [ONE]);
      await isVisible('.main', true);
      await isVisible('.footer', true);
      await storesTitles(ONE);
    });
  });

  describe('the checkbox for all', () => {
    beforeEach(createThree);
    afterEach(() => storesTitles(ONE, TWO, THREE));

    test('completes all todos', async () => {
      await all().check();
      await areCompleted(true, true, true);
      await storesCompleted(3);
    });

    test('at once again, completes none', async () => {
      await all().check();
      await all().uncheck();
      await areCompleted(false, false, false);
      await storesCompleted(0);
    });

    test('is checked when each todo was completed by itself', async () => {
      for (const index of [0, 1, 2]) await toggle(index).check();
      await isChecked(true);
    });

    test('follows the todos', async () => {
      await all().check();
      await isChecked(true);
      await toggle(0).uncheck();
      await isChecked(false);
      await toggle(0).check();
      await isChecked(true);
      await storesCompleted(3);
    });
  });

  describe('a todo', () => {
    test('is completed by its checkbox, and active again', async () => {
      await type(page, ONE, TWO);
      await toggle(0).check();
      await areCompleted(true, false);
      await toggle(1).check();
      await areCompleted(true, true);
      await storesCompleted(2);
      await toggle(0).uncheck();
      await areCompleted(false, true);
      await storesCompleted(1);
    });

    test('is edited by a double click on its title', async () => {
      await createThree();
      await items().nth(1).locator('label').dblclick();
      assert.equal(await edit().inputValue(), TWO);
      await edit().clear();
      await edit().pressSequentially('darn a sock');
      await edit().press('Enter');
      await shows(page, [ONE, 'darn a sock', THREE]);
      await storesTitles(ONE, 'darn a sock', THREE);
    });
  });

  describe('while a todo is edited', () => {
    beforeEach(async () => {
      await createThree();
      await items().nth(1).locator('label').dblclick();
    });

    test('the input with its title has the focus', async () => {
      assert.ok(await edit().evaluate((input) => input === document.activeElement));
    });

    test('its checkbox and its title are hidden', async () => {
      assert.equal(await toggle(1).isVisible(), false);
      assert.equal(await items().nth(1).locator('label').isVisible(), false);
      await storesTitles(ONE, TWO, THREE);
    });

    for (const [name, leave] of [
      ['the focus leaves it', () => edit().blur()],
      ['another todo is clicked', () => toggle(0).check()],
    ]) {
      test(`the title is saved when ${name}`, async () => {
        await edit().fill('darn a sock');
        await leave();
        await shows(page, [ONE, 'darn a sock', THREE]);
        await storesTitles(ONE, 'darn a sock', THREE);
      });
    }

    test('white space around the title is dropped', async () => {
      await edit().fill('    darn a sock    ');
      await edit().press('Enter');
      await shows(page, [ONE, 'darn a sock', THREE]);
      await storesTitles(ONE, 'darn a sock', THREE);
    });

    test('an empty title deletes the todo', async () => {
      await edit().clear();
      await edit().press('Enter');
      await shows(page, [ONE, THREE]);
      await storesTitles(ONE, THREE);
    });

    test('Escape keeps the title as it was', async () => {
      await edit().fill('darn a sock');
      await edit().press('Escape');
      await shows(page, [ONE, TWO, THREE]);
      await storesTitles(ONE, TWO, THREE);
    });
  });

  test('the counter says how many are left, with the number in bold', async () => {
    const counter = page.locator('span.todo-count');
    await type(page, ONE);
    await eventually(async () => assert.equal(await counter.textContent(), '1 item left'));
    await type(page, TWO);
    await eventually(async () => assert.equal(await counter.textContent(), '2 items left'));
    assert.equal(await counter.locator('strong').textContent(), '2');
    await storesTitles(ONE, TWO);
  });

  describe('the button for completed todos', () => {
    beforeEach(async () => {
      await createThree();
      await toggle(1).check();
    });

    test('says what it does', async () => {
      await eventually(async () => assert.equal(await clear().textContent(), 'Clear completed'));
    });

    test('deletes them', async () => {
      await clear().click();
      await shows(page, [ONE, THREE]);
      await storesTitles(ONE, THREE);
    });

    test('is hidden without any', async () => {
      await isVisible('.clear-completed', true);
      await clear().click();
      await isVisible('.clear-completed', false);
    });
  });

  for (const [name, leave] of [
    ['a reload', () => page.reload()],
    ['another page and back', () => page.goto('about:blank').then(() => page.goto(service.url))],
  ]) {
    test(`todos are as they were after ${name}`, async () => {
      await type(page, ONE, TWO);
      await toggle(0).check();
      await areCompleted(true, false);
      // At once: what was not sent yet is sent by the page that comes.
      await leave();
      await shows(page, [ONE, TWO]);
      await areCompleted(true, false);
      await storesCompleted(1);
    });
  }

  describe('a filter', () => {
    beforeEach(async () => {
      await createThree();
      await toggle(1).check();
      await storesCompleted(1);
    });

    test('shows the active todos, or the completed, or all', async () => {
      await filter('Active').click();
      await shows(page, [ONE, THREE]);
      await filter('Completed').click();
      await shows(page, [TWO]);
      await filter('All').click();
      await shows(page, [ONE, TWO, THREE]);
    });

    test('is left by the back button', async () => {
      await filter('All').click();
      await filter('Active').click();
      await filter('Completed').click();
      await shows(page, [TWO]);
      await page.goBack();
      await shows(page, [ONE, THREE]);
      await page.goBack();
      await shows(page, [ONE, TWO, THREE]);
    });

    test('is marked, and kept on a reload', async () => {
      await isSelected('All');
      await filter('Active').click();
      await isSelected('Active');
      await filter('Completed').click();
      await isSelected('Completed');
      await page.reload();
      await isSelected('Completed');
      await shows(page, [TWO]);
    });
  });
});
