// The published test-suite of TodoMVC (tastejs/todomvc, cypress/e2e/spec.cy.js), test by test, against the page on
// the real service. What it looks for in localStorage is looked for in the service.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { close, eventually, launch, open, shows, type } from './chromium.js';
import { DATABASES, Service } from './service.js';

const ONE = 'buy some cheese';
const TWO = 'feed the cat';
const THREE = 'book a doctors appointment';

for (const database of DATABASES) {
  describe(`TodoMVC on ${database}`, () => {
    let service;
    let browser;
    let page;
    const items = () => page.locator('.todo-list li');
    const visible = () => page.locator('.todo-list li:visible');
    const filter = (name) => page.locator('.filters li a', { hasText: name });
    const createDefault = () => type(page, ONE, TWO, THREE);
    const stored = (check) => eventually(async () => assert.ok(check(await service.todos())));
    const storedCount = (n) => stored((todos) => todos.length === n);
    const storedCompleted = (n) => stored((todos) => todos.filter((todo) => todo.completed).length === n);
    const storedTitle = (title) => stored((todos) => todos.some((todo) => todo.title === title));
    const hasClass = (locator, name, has = true) =>
      eventually(async () => assert.equal(/** @type {string} */ ((await locator.getAttribute('class')) ?? '').split(' ').includes(name), has));
    const contains = (locator, text) => eventually(async () => assert.ok((await locator.textContent()).includes(text)));
    const count = (locator, n) => eventually(async () => assert.equal(await locator.count(), n));
    const isVisible = (locator, is) => eventually(async () => assert.equal(await locator.isVisible(), is));

    before(async () => {
      [service, browser] = [await Service.start({ database }), await launch()];
    });
    after(async () => {
      await browser.close();
      await service.stop();
    });
    beforeEach(async () => {
      await service.clear();
      page = await open(browser, service.url);
      await page.locator('h1', { hasText: /^todos$/i }).waitFor();
      await page.locator('.loading').waitFor({ state: 'hidden' });
      await count(items(), 0);
    });
    afterEach(() => close(page));

    describe('When page is initially opened', () => {
      test('should focus on the todo input field', async () => {
        await eventually(async () => assert.ok(await page.evaluate(() => document.activeElement.classList.contains('new-todo'))));
      });
    });

    describe('No Todos', () => {
      test('starts with nothing', () => count(items(), 0));

      test('should hide #main and #footer', async () => {
        await count(items(), 0);
        await isVisible(page.locator('.main'), false);
        await isVisible(page.locator('.footer'), false);
      });
    });

    describe('New Todo', () => {
      test('should allow me to add todo items', async () => {
        await page.locator('.new-todo').pressSequentially(ONE);
        await page.locator('.new-todo').press('Enter');
        await contains(items().nth(0).locator('label'), ONE);
        await page.locator('.new-todo').pressSequentially(TWO);
        await page.locator('.new-todo').press('Enter');
        await contains(items().nth(1).locator('label'), TWO);
        await storedCount(2);
      });

      test('should clear text input field when an item is added', async () => {
        await type(page, ONE);
        assert.equal(await page.locator('.new-todo').inputValue(), '');
        await storedCount(1);
      });

      test('should append new items to the bottom of the list', async () => {
        await createDefault();
        await contains(page.locator('span.todo-count'), '3');
        await shows(page, [ONE, TWO, THREE]);
        await storedCount(3);
      });

      test('should trim text input', async () => {
        await type(page, `    ${ONE}    `);
        await shows(page, [ONE]);
        await storedTitle(ONE);
      });

      test('should show #main and #footer when items added', async () => {
        await type(page, ONE);
        await isVisible(page.locator('.main'), true);
        await isVisible(page.locator('.footer'), true);
        await storedCount(1);
      });
    });

    describe('Mark all as completed', () => {
      beforeEach(async () => {
        await createDefault();
        await storedCount(3);
      });
      afterEach(() => storedCount(3));
      const all = () => page.locator('.toggle-all');

      test('should allow me to mark all items as completed', async () => {
        await all().check({ force: true });
        for (const index of [0, 1, 2]) await hasClass(items().nth(index), 'completed');
        await storedCompleted(3);
      });

      test('should allow me to clear the complete state of all items', async () => {
        await all().check({ force: true });
        await all().uncheck({ force: true });
        for (const index of [0, 1, 2]) await hasClass(items().nth(index), 'completed', false);
        await storedCompleted(0);
      });

      test('complete all checkbox should update state when items are completed / cleared', async () => {
        await all().check({ force: true });
        assert.ok(await all().isChecked());
        await items().nth(0).locator('.toggle').uncheck({ force: true });
        await eventually(async () => assert.ok(!(await all().isChecked())));
        await items().nth(0).locator('.toggle').check({ force: true });
        await storedCompleted(3);
        await eventually(async () => assert.ok(await all().isChecked()));
      });
    });

    describe('Item', () => {
      test('should allow me to mark items as complete', async () => {
        await type(page, ONE, TWO);
        await items().nth(0).locator('.toggle').check();
        await hasClass(items().nth(0), 'completed');
        await hasClass(items().nth(1), 'completed', false);
        await items().nth(1).locator('.toggle').check();
        await hasClass(items().nth(0), 'completed');
        await hasClass(items().nth(1), 'completed');
        await storedCompleted(2);
      });

      test('should allow me to un-mark items as complete', async () => {
        await type(page, ONE, TWO);
        await items().nth(0).locator('.toggle').check();
        await hasClass(items().nth(0), 'completed');
        await hasClass(items().nth(1), 'completed', false);
        await storedCompleted(1);
        await items().nth(0).locator('.toggle').uncheck();
        await hasClass(items().nth(0), 'completed', false);
        await hasClass(items().nth(1), 'completed', false);
        await storedCompleted(0);
      });

      test('should allow me to edit an item', async () => {
        await createDefault();
        await storedTitle(TWO);
        await visible().nth(1).locator('label').dblclick();
        const edit = visible().nth(1).locator('.edit');
        assert.equal(await edit.inputValue(), TWO);
        await edit.clear();
        await edit.pressSequentially('buy some sausages');
        await edit.press('Enter');
        await shows(page, [ONE, 'buy some sausages', THREE]);
        await storedTitle('buy some sausages');
      });
    });

    describe('Editing', () => {
      beforeEach(async () => {
        await createDefault();
        await storedCount(3);
        await items().nth(1).locator('label').dblclick();
      });
      const edit = () => items().nth(1).locator('.edit');

      test('should hide other controls when editing', async () => {
        await isVisible(items().nth(1).locator('.toggle'), false);
        await isVisible(items().nth(1).locator('label'), false);
        await storedCount(3);
      });

      test('should save edits on blur', async () => {
        await edit().fill('buy some sausages');
        await edit().blur();
        await shows(page, [ONE, 'buy some sausages', THREE]);
        await storedTitle('buy some sausages');
      });

      test('should trim entered text', async () => {
        await edit().fill('    buy some sausages    ');
        await edit().press('Enter');
        await shows(page, [ONE, 'buy some sausages', THREE]);
        await storedTitle('buy some sausages');
      });

      test('should remove the item if an empty text string was entered', async () => {
        await edit().clear();
        await edit().press('Enter');
        await count(visible(), 2);
        await storedCount(2);
      });

      test('should cancel edits on escape', async () => {
        await edit().fill('foo');
        await edit().press('Escape');
        await shows(page, [ONE, TWO, THREE]);
        await storedCount(3);
      });
    });

    describe('Counter', () => {
      test('should display the current number of todo items', async () => {
        await type(page, ONE);
        await contains(page.locator('span.todo-count'), '1');
        assert.equal(await page.locator('span.todo-count').textContent(), '1 item left');
        await type(page, TWO);
        await contains(page.locator('span.todo-count'), '2');
        assert.equal(await page.locator('span.todo-count strong').textContent(), '2');
        await storedCount(2);
      });
    });

    describe('Clear completed button', () => {
      beforeEach(createDefault);
      const clear = () => page.locator('.clear-completed');

      test('should display the correct text', async () => {
        await items().nth(0).locator('.toggle').check();
        await contains(clear(), 'Clear completed');
      });

      test('should remove completed items when clicked', async () => {
        await items().nth(1).locator('.toggle').check();
        await clear().click();
        await shows(page, [ONE, THREE]);
        await storedCount(2);
      });

      test('should be hidden when there are no items that are completed', async () => {
        await items().nth(1).locator('.toggle').check();
        await isVisible(clear(), true);
        await clear().click();
        await isVisible(clear(), false);
      });
    });

    describe('Persistence', () => {
      test('should persist its data', async () => {
        const check = async () => {
          await contains(items().nth(0), ONE);
          await hasClass(items().nth(0), 'completed');
          await contains(items().nth(1), TWO);
          await hasClass(items().nth(1), 'completed', false);
        };
        await type(page, ONE, TWO);
        await items().nth(0).locator('.toggle').check();
        await check();
        // At once: what was not sent yet is sent by the page that comes.
        await page.reload();
        await check();
        await storedCompleted(1);
      });
    });

    describe('Routing', () => {
      beforeEach(async () => {
        await createDefault();
        await storedTitle(ONE);
        await items().nth(1).locator('.toggle').check();
        await storedCompleted(1);
      });

      test('should allow me to display active items', async () => {
        await filter('Active').click();
        await shows(page, [ONE, THREE]);
      });

      test('should respect the back button', async () => {
        await filter('All').click();
        await count(visible(), 3);
        await filter('Active').click();
        await filter('Completed').click();
        await count(visible(), 1);
        await page.goBack();
        await count(visible(), 2);
        await page.goBack();
        await count(visible(), 3);
      });

      test('should allow me to display completed items', async () => {
        await filter('Completed').click();
        await count(visible(), 1);
      });

      test('should allow me to display all items', async () => {
        await filter('Active').click();
        await filter('Completed').click();
        await filter('All').click();
        await count(visible(), 3);
      });

      test('should highlight the currently applied filter', async () => {
        await hasClass(filter('All'), 'selected');
        await filter('Active').click();
        await hasClass(filter('Active'), 'selected');
        await filter('Completed').click();
        await hasClass(filter('Completed'), 'selected');
        await hasClass(filter('Active'), 'selected', false);
        // The active filter is kept on reload, by the specification.
        await page.reload();
        await hasClass(filter('Completed'), 'selected');
      });
    });
  });
}
