// The page together with others, and without a network: live changes, polling, offline work, conflicts.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { close, eventually, launch, open, saved, shows, todo, type } from './chromium.js';
import { Gateway } from './gateway.js';
import { DATABASES, Service } from './service.js';

// Chromium logs failed requests, which are what these tests are about.
const FAILED = [/Failed to load resource/, /net::ERR_/];

for (const database of DATABASES) {
  describe(`the network on ${database}`, () => {
    let service;
    let gateway;
    let browser;
    let page;
    const state = (expected) =>
      eventually(async () => assert.equal(await page.locator('.connection').getAttribute('data-state'), expected));
    const text = (pattern) => eventually(async () => assert.match(await page.locator('.connection').textContent(), pattern));
    const start = async ({ stream = true } = {}) => {
      gateway = await Gateway.start(service, { stream });
      page = await open(browser, gateway.url, { expected: [...FAILED] });
      await state(stream ? 'live' : 'polling');
      await page.locator('.loading').waitFor({ state: 'hidden' });
    };
    /** Cuts the page off, or lets it reach the service again. */
    const setDown = async (down) => {
      gateway.down = down;
      if (down) {
        gateway.cut();
        gateway.server.closeAllConnections();
      }
      await page.context().setOffline(down);
      await state(down ? 'offline' : 'live');
    };
    const idOf = async (title) => (await service.todos()).find((todo) => todo.title === title).id;

    before(async () => {
      [service, browser] = [await Service.start({ database }), await launch()];
    });
    after(async () => {
      await browser.close();
      await service.stop();
    });
    beforeEach(() => service.clear());
    afterEach(async () => {
      await close(page);
      await gateway.stop();
    });

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
      assert.equal(gateway.requests.filter(({ path }) => path === '/todos/events').length, 1);
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
      const loads = () => gateway.requests.filter(({ path }) => path.startsWith('/todos?')).length;
      const before = loads();
      gateway.cut();
      await gateway.send('POST', 'todos', { title: 'b' });
      await shows(page, ['a', 'b']);
      assert.equal(loads(), before, 'nothing was loaded again');
      assert.equal(gateway.requests.findLast(({ path }) => path === '/todos/events').headers['last-event-id'], '1');
    });

    test('after a reset everything is loaded again', async () => {
      await start();
      await service.create('behind the stream');
      gateway.emit('reset', {});
      await shows(page, ['behind the stream']);
      gateway.emit('todo', 'not a todo');
      await gateway.send('POST', 'todos', { title: 'after' });
      await shows(page, ['behind the stream', 'after']);
    });

    test('without a stream the page asks again and again, and says so', async () => {
      await start({ stream: false });
      gateway.intercept = ({ path }) => (path === '/todos/events' ? { status: 404 } : null);
      await text(/Changes of others show within 5 seconds/);
      await service.create('tea');
      await shows(page, ['tea']);
    });

    test('what is done offline is kept over a reload and sent when the network is back', async () => {
      await start();
      await type(page, 'a', 'b', 'c');
      await saved(page);
      await page.waitForFunction(() => navigator.serviceWorker.controller);
      await page.waitForFunction(() => JSON.parse(localStorage.getItem('todostack//kept/null') ?? '[]').length === 3);
      await setDown(true);
      await type(page, 'd');
      await todo(page, 'a').locator('.toggle').check();
      await todo(page, 'b').locator('label').dblclick();
      await page.locator('.edit').fill('B');
      await page.locator('.edit').press('Enter');
      await todo(page, 'c').locator('.destroy').click();
      await shows(page, ['a', 'B', 'd']);
      await text(/Offline\. 4 changes are kept here and sent later\./);
      assert.equal(await todo(page, 'd').locator('.chip.unsent').textContent(), 'Not sent yet');

      await page.reload();
      await shows(page, ['a', 'B', 'd']);
      await text(/Shown as this browser last saw it/);

      const requests = gateway.requests.length;
      await setDown(false);
      await saved(page);
      await shows(page, ['a', 'B', 'd']);
      const todos = await service.todos();
      assert.deepEqual(todos.map(({ title, completed }) => [title, completed]), [['a', true], ['B', false], ['d', false]]);
      const sent = gateway.requests.slice(requests).filter(({ method }) => method !== 'GET');
      assert.deepEqual(sent.map(({ method }) => method).sort(), ['DELETE', 'PATCH', 'PATCH', 'POST']);
      for (const { method, headers } of sent) assert.ok(headers[method === 'POST' ? 'idempotency-key' : 'if-match'], method);
    });

    test('a todo whose answer was lost is created once', async () => {
      await start();
      gateway.losing = (method) => method === 'POST';
      await type(page, 'tea');
      await state('offline');
      assert.equal((await service.todos()).length, 1);
      gateway.losing = null;
      await state('live');
      await saved(page);
      assert.deepEqual((await service.todos()).map(({ title }) => title), ['tea']);
      await shows(page, ['tea']);
    });

    test('a list whose answer was lost is created once', async () => {
      await start();
      gateway.losing = (method, path) => method === 'POST' && path === '/lists';
      await page.locator('.new-list').click();
      await page.locator('dialog input').fill('Shop');
      await page.locator('dialog .primary').click();
      await type(page, 'milk');
      await state('offline');
      gateway.losing = null;
      await state('live');
      await saved(page);
      const lists = await service.send('GET', '/lists');
      assert.deepEqual(lists.map(({ name }) => name), ['Shop']);
      assert.deepEqual((await service.todos(lists[0].id)).map(({ title }) => title), ['milk']);
    });

    for (const [button, kept] of [['Keep my version', 'mine'], ['Keep the other version', 'theirs']]) {
      test(`a conflict shows both versions, and the person chooses: ${button}`, async () => {
        await start();
        await type(page, 'tea');
        await saved(page);
        const id = await idOf('tea');
        await setDown(true);
        await todo(page, 'tea').locator('label').dblclick();
        await page.locator('.edit').fill('mine');
        await page.locator('.edit').press('Enter');
        await service.send('PATCH', `/todos/${id}`, { title: 'theirs' });
        await setDown(false);
        await page.locator('.chip.conflict').click();
        const cells = await page.locator('dialog td').allTextContents();
        assert.deepEqual(cells, ['', 'mine', 'theirs']);
        assert.equal((await service.send('GET', `/todos/${id}`)).title, 'theirs', 'nothing was sent without an answer');
        await page.locator('dialog button', { hasText: button }).click();
        await shows(page, [kept]);
        await saved(page);
        assert.equal((await service.send('GET', `/todos/${id}`)).title, kept);
      });
    }

    test('changes of different fields are both kept, without a question', async () => {
      await start();
      await type(page, 'tea');
      await saved(page);
      const id = await idOf('tea');
      await setDown(true);
      await todo(page, 'tea').locator('label').dblclick();
      await page.locator('.edit').fill('green tea');
      await page.locator('.edit').press('Enter');
      await service.send('PATCH', `/todos/${id}`, { completed: true });
      await setDown(false);
      await saved(page);
      const { title, completed } = await service.send('GET', `/todos/${id}`);
      assert.deepEqual([title, completed], ['green tea', true]);
      assert.equal(await page.locator('.chip.conflict').count(), 0);
    });

    test('a todo that was changed here and deleted elsewhere can be created again', async () => {
      await start();
      await type(page, 'tea');
      await saved(page);
      const id = await idOf('tea');
      await setDown(true);
      await todo(page, 'tea').locator('label').dblclick();
      await page.locator('.edit').fill('green tea');
      await page.locator('.edit').press('Enter');
      await service.send('DELETE', `/todos/${id}`);
      await setDown(false);
      await page.locator('.notice', { hasText: 'changed here and elsewhere' }).locator('button', { hasText: 'Resolve' }).click();
      await page.locator('dialog button', { hasText: 'Create it again' }).click();
      await shows(page, ['green tea']);
      await saved(page);
      assert.deepEqual((await service.todos()).map(({ title }) => title), ['green tea']);
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
      await page.locator('.notice', { hasText: 'changed here and elsewhere' }).locator('button', { hasText: 'Resolve' }).click();
      await page.locator('dialog button', { hasText: 'Create it again' }).click();
      await shows(page, ['green tea']);
    });

    test('what the service rejects is taken back, with its reason', async () => {
      await start();
      await type(page, 'tea');
      await saved(page);
      gateway.intercept = ({ method }) => (method === 'PATCH' ? { status: 507, body: { detail: 'No space left.' } } : null);
      await page.locator('.toggle').check();
      await page.locator('.notice.error', { hasText: '“tea” was not saved: No space left.' }).waitFor();
      await eventually(async () => assert.ok(!(await page.locator('.toggle').isChecked())));
    });

    test('a service that cannot do its work at present is asked again, and the page says why', async () => {
      await start();
      let faults = 2;
      gateway.intercept = ({ method }) =>
        method === 'POST' && faults-- > 0
          ? { status: 503, body: { detail: 'The database is not available; try again in a moment.' }, headers: { 'retry-after': '1' } }
          : null;
      await type(page, 'tea');
      await state('trouble');
      await text(/The database is not available/);
      await state('live');
      await saved(page);
      assert.equal((await service.todos()).length, 1);
    });

    test('two tabs do not send the same change twice', async () => {
      await start();
      const other = await open(browser, gateway.url, { context: page.context(), expected: [...FAILED] });
      await setDown(true);
      await type(page, 'tea');
      await shows(other, ['tea']);
      await setDown(false);
      await saved(page);
      await shows(other, ['tea']);
      await shows(page, ['tea']);
      assert.equal((await service.todos()).length, 1);
      await other.close();
    });

    test('a browser that stores nothing works, and says what that means', async () => {
      gateway = await Gateway.start(service, { stream: true });
      page = await open(browser, 'about:blank', { expected: [...FAILED] });
      await page.addInitScript(() => {
        Storage.prototype.setItem = () => {
          throw new DOMException('full', 'QuotaExceededError');
        };
      });
      await page.goto(gateway.url);
      await state('live');
      await type(page, 'tea');
      await eventually(async () => assert.equal((await service.todos()).length, 1));
      gateway.down = true;
      gateway.cut();
      await type(page, 'milk');
      await text(/lost if you close the page/);
      gateway.down = false;
      await shows(page, ['tea', 'milk']);
      await eventually(async () => assert.equal((await service.todos()).length, 2));
    });
  });
}
