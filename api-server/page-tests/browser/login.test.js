// Who may see todos, on a service that wants tokens: the login, its end, and where tokens are kept.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { eventually, loaded, saved, shows, type } from './chromium.js';
import { onEachDatabase } from './each-database.js';
import { ownAddress } from './service.js';

onEachDatabase('the login', { login: true }, (fixture) => {
  let issuer;
  let service;
  let page;
  const panel = () => page.locator('.panel');
  const login = async () => {
    await panel().locator('.login').click();
    await page.locator('.logout').waitFor();
  };
  /** All that the page has left in this browser. */
  const kept = () =>
    page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));

  beforeEach(async () => {
    ({ issuer, service } = fixture);
    page = await fixture.open('#/active', { expected: [/401/, /403/] });
    await panel().waitFor();
  });

  test('whoever has no token is asked to log in, and sees no todos', async () => {
    assert.equal(await panel().locator('.why').textContent(), 'Log in to see your todos.');
    for (const selector of ['.content', '.new-todo', '.lists', '.connection'])
      assert.equal(await page.locator(selector).isHidden(), true, selector);
    assert.equal(await panel().locator('form').isHidden(), true);
  });

  test('a login leads back to where the page was, and to the own todos', async () => {
    await login();
    assert.match(page.url(), /\/#\/active$/);
    assert.match(await page.locator('.logout').textContent(), /Ana Lima/);
    await type(page, 'tea');
    await saved(page);
    await shows(page, ['tea']);
    const token = { authorization: `Bearer ${issuer.token()}` };
    const todos = await service.send('GET', '/todos', undefined, token);
    assert.deepEqual(
      todos.map(({ title }) => title),
      ['tea'],
    );
  });

  test('tokens are in no storage and in no address', async () => {
    await login();
    await type(page, 'tea');
    await saved(page);
    const all = (await kept()) + page.url();
    assert.doesNotMatch(all, /eyJ/, all);
    // What a login needs until it has ended, and that there was one.
    const names = await page.evaluate(() => Object.keys(sessionStorage));
    assert.deepEqual(names, ['todostack-session']);
  });

  test('a reload needs no second login while the issuer knows the person', async () => {
    await login();
    await type(page, 'tea');
    await saved(page);
    await page.reload();
    await page.locator('.logout').waitFor();
    await shows(page, ['tea']);
    assert.match(page.url(), /#\/active$/);
  });

  test('a reload after the session of the issuer has ended asks for a login', async () => {
    await login();
    issuer.hasSession = false;
    await page.reload();
    await panel().locator('.login').waitFor();
    assert.equal(await panel().locator('.error').textContent(), '');
  });

  test('a session that ends loses no change: it is sent after the next login', async () => {
    const gateway = await fixture.gateway();
    page = await fixture.open(gateway.url, { expected: [/401/] });
    await login();
    await loaded(page);
    gateway.intercept = ({ path }) => (path.startsWith('/todos') ? { status: 401 } : null);
    await type(page, 'tea');
    await panel().locator('.why', { hasText: 'Your session has ended' }).waitFor();
    gateway.intercept = () => null;
    await login();
    await shows(page, ['tea']);
    await saved(page);
  });

  test('on an address without TLS, a login says what it needs', async () => {
    const own = await fixture.another({ listen: `${ownAddress()}:0`, env: issuer.variables() });
    page = await fixture.open(own.url, { expected: [/401/, /Cross-Origin-Opener-Policy/] });
    await panel().locator('.login').click();
    await panel().locator('.error', { hasText: 'https' }).waitFor();
  });

  test('a logout leaves nothing behind, and ends the session of the issuer', async () => {
    await login();
    await type(page, 'secret');
    await saved(page);
    await page.locator('.logout').click();
    await eventually(() => assert.equal(issuer.hasSession, false));
    await panel().locator('.login').waitFor();
    assert.doesNotMatch(await kept(), /secret|eyJ|todostack-session/);
  });

  test('the todos of one person are not shown to the next', async () => {
    await login();
    await type(page, 'secret');
    await saved(page);
    await page.locator('.logout').click();
    await panel().locator('.login').waitFor();
    issuer.subject = `rui-${Math.random()}`;
    await login();
    await loaded(page);
    await shows(page, []);
  });

  test('an answer with another state than the page has asked for is no login', async () => {
    await page.goto(`${service.url}/?code=stolen&state=forged`);
    await panel().locator('.error', { hasText: 'The login failed' }).waitFor();
    assert.doesNotMatch(page.url(), /stolen/);
  });

  test('whoever may not read todos is told so, and can log in as somebody else', async () => {
    issuer.scope = 'openid';
    await panel().locator('.login').click();
    await panel().locator('.why', { hasText: 'todos:read' }).waitFor();
    issuer.scope = 'openid todos:read todos:write';
    await panel().locator('.login').click();
    await page.locator('.new-todo').waitFor();
    assert.equal(
      issuer.requests.findLast(({ pathname }) => pathname === '/authorize').searchParams.get('prompt'),
      'login',
    );
  });

  test('a change by somebody who may only read is taken back, with the reason', async () => {
    issuer.scope = 'openid todos:read';
    await login();
    await type(page, 'tea');
    await page.locator('.notice.error', { hasText: 'todos:write' }).waitFor();
    await shows(page, []);
  });
});

onEachDatabase('a service with tokens and without a login', { login: false }, (fixture) => {
  test('takes a token, which a reload forgets', async () => {
    const page = await fixture.open('', { expected: [/401/] });
    const token = fixture.issuer.token();
    await page.locator('[name=token]').fill(token);
    await page.locator('[name=token]').press('Enter');
    await type(page, 'tea');
    await saved(page);
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    assert.ok(!kept.includes(token));
    await page.reload();
    await page.locator('[name=token]').waitFor();
  });
});
