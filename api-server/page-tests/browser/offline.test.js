// The page without a network, and with a service that fails: nothing is lost, nothing is done twice.
// Conflicts are in `conflict.test.js`.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { eventually, open, retitle, saved, shows, todo, type } from './chromium.js';
import { Connection, FAILED } from './connection.js';
import { onEachDatabase } from './each-database.js';

onEachDatabase('offline', (fixture) => {
  let service;
  let connection;
  let page;
  let gateway;
  const start = async (options) => {
    connection = await fixture.connect(options);
    ({ page, gateway } = connection);
  };

  beforeEach(() => ({ service } = fixture));

  test('what is done offline is kept over a reload and sent when the network is back', async () => {
    await start({ serviceWorkers: 'allow' });
    await type(page, 'a', 'b', 'c');
    await saved(page);
    await page.waitForFunction(() => navigator.serviceWorker.controller);
    await page.waitForFunction(
      () => JSON.parse(localStorage.getItem('todostack//kept/null') ?? '[]').length === 3,
    );
    await connection.cut();
    await type(page, 'd');
    await todo(page, 'a').locator('.toggle').check();
    await retitle(page, 'b', 'B');
    await todo(page, 'c').locator('.destroy').click();
    await shows(page, ['a', 'B', 'd']);
    await connection.says(/Offline\. 4 changes are kept here and sent later\./);
    assert.equal(await todo(page, 'd').locator('.chip.unsent').textContent(), 'Not sent yet');

    await page.reload();
    await shows(page, ['a', 'B', 'd']);
    await connection.says(/Shown as this browser last saw it/);

    const requests = gateway.requests.length;
    await connection.repair();
    await saved(page);
    await shows(page, ['a', 'B', 'd']);
    const todos = (await service.todos()).map(({ title, completed }) => [title, completed]);
    assert.deepEqual(todos, [
      ['a', true],
      ['B', false],
      ['d', false],
    ]);
    const sent = gateway.requests.slice(requests).filter(({ method }) => method !== 'GET');
    assert.deepEqual(sent.map(({ method }) => method).sort(), ['DELETE', 'PATCH', 'PATCH', 'POST']);
    for (const { method, headers } of sent) {
      assert.ok(headers[method === 'POST' ? 'idempotency-key' : 'if-match'], method);
    }
  });

  test('a todo whose answer was lost is created once', async () => {
    await start();
    gateway.losing = (method) => method === 'POST';
    await type(page, 'tea');
    await connection.hasState('offline');
    assert.equal((await service.todos()).length, 1);
    gateway.losing = null;
    await connection.hasState('live');
    await saved(page);
    assert.deepEqual(
      (await service.todos()).map(({ title }) => title),
      ['tea'],
    );
    await shows(page, ['tea']);
  });

  test('a list whose answer was lost is created once', async () => {
    await start();
    gateway.losing = (method, path) => method === 'POST' && path === '/lists';
    await page.locator('.new-list').click();
    await page.locator('dialog input').fill('Shop');
    await page.locator('dialog .primary').click();
    await type(page, 'milk');
    await connection.hasState('offline');
    gateway.losing = null;
    await connection.hasState('live');
    await saved(page);
    const lists = await service.send('GET', '/lists');
    assert.deepEqual(
      lists.map(({ name }) => name),
      ['Shop'],
    );
    assert.deepEqual(
      (await service.todos(lists[0].id)).map(({ title }) => title),
      ['milk'],
    );
  });

  test('what the service rejects is taken back, with its reason', async () => {
    await start();
    await type(page, 'tea');
    await saved(page);
    gateway.intercept = ({ method }) =>
      method === 'PATCH' ? { status: 507, body: { detail: 'No space left.' } } : null;
    // Not `check`, which fails when the state is taken back before it looks.
    await page.locator('.toggle').click();
    await page.locator('.notice.error', { hasText: '“tea” was not saved: No space left.' }).waitFor();
    await eventually(async () => assert.ok(!(await page.locator('.toggle').isChecked())));
  });

  test('a service that cannot do its work at present is asked again, and the page says why', async () => {
    await start();
    let faults = 2;
    const detail = 'The database is not available; try again in a moment.';
    gateway.intercept = ({ method }) =>
      method === 'POST' && faults-- > 0
        ? { status: 503, body: { detail }, headers: { 'retry-after': '1' } }
        : null;
    await type(page, 'tea');
    await connection.hasState('trouble');
    await connection.says(/The database is not available/);
    await connection.hasState('live');
    await saved(page);
    assert.equal((await service.todos()).length, 1);
  });

  test('two tabs do not send the same change twice', async () => {
    await start();
    const other = await open(fixture.browser, gateway.url, { context: page.context(), expected: FAILED });
    await connection.cut();
    await type(page, 'tea');
    await shows(other, ['tea']);
    await connection.repair();
    await saved(page);
    await shows(other, ['tea']);
    await shows(page, ['tea']);
    assert.equal((await service.todos()).length, 1);
  });

  test('a browser that stores nothing works, and says what that means', async () => {
    gateway = await fixture.gateway();
    page = await fixture.open('about:blank', { expected: FAILED });
    connection = new Connection(service, gateway, page);
    await page.addInitScript(() => {
      Storage.prototype.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError');
      };
    });
    await page.goto(gateway.url);
    await connection.hasState('live');
    await type(page, 'tea');
    await eventually(async () => assert.equal((await service.todos()).length, 1));
    gateway.down = true;
    gateway.cut();
    await type(page, 'milk');
    await connection.says(/lost if you close the page/);
    gateway.down = false;
    await shows(page, ['tea', 'milk']);
    await eventually(async () => assert.equal((await service.todos()).length, 2));
  });
});
