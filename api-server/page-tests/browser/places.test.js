// Where the page is served: below a prefix, with and without the slash at its end, on an address without TLS,
// and while it is replaced by another version.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, saved, shows, type } from './chromium.js';
import { onEachDatabase } from './each-database.js';
import { ownAddress } from './service.js';

onEachDatabase('the places of the page', (fixture) => {
  for (const end of ['', '/', '/?utm=1#/active', '#/active']) {
    test(`below a prefix, opened with “${end}” at the end`, async () => {
      const gateway = await fixture.gateway({ prefix: '/apps/shop' });
      // A browser reads ahead of the script that adds the slash, and asks for files beside the prefix.
      const expected = end.startsWith('/') ? [] : [/\/apps\/page\//];
      const page = await fixture.open(`${gateway.origin}/apps/shop${end}`, { expected });
      await type(page, 'tea');
      await shows(page, ['tea']);
      await saved(page);
      await page.reload();
      await shows(page, ['tea']);
      assert.ok(page.url().startsWith(gateway.url), page.url());
      if (end.includes('active'))
        assert.ok(await page.locator('.filters a.selected', { hasText: 'Active' }).isVisible());
      assert.ok(gateway.requests.length > 30);
    });
  }

  test('an address that is no localhost and has no TLS, as a NodePort', async () => {
    const own = await fixture.another({ listen: `${ownAddress()}:0` });
    // Browsers ignore the header without TLS, and say so.
    const page = await fixture.open(own.url, { expected: [/Cross-Origin-Opener-Policy/] });
    assert.equal(await page.evaluate(() => isSecureContext), false);
    await type(page, 'tea');
    await shows(page, ['tea']);
    await saved(page);
    assert.equal((await own.todos()).length, 1);
  });

  test('a page whose files another replica does not have is loaded again', async () => {
    const gateway = await fixture.gateway();
    let missing = 2;
    gateway.intercept = ({ path }) => (path.endsWith('/main.js') && missing-- > 0 ? { status: 404 } : null);
    const page = await fixture.open(gateway.url, { expected: [/main\.js/] });
    await eventually(async () => assert.match(await page.locator('.connection').textContent(), /Live/));
    assert.equal(await page.locator('#failed').isHidden(), true);
  });

  test('a page whose files cannot be had says so', async () => {
    const gateway = await fixture.gateway();
    gateway.intercept = ({ path }) => (path.endsWith('/net/api.js') ? { status: 404 } : null);
    const page = await fixture.open('about:blank', { expected: [/api\.js/] });
    await page.clock.install();
    await page.goto(gateway.url);
    await eventually(async () => {
      // Longer than the page waits until it tries again.
      await page.clock.fastForward(5000);
      assert.ok(await page.locator('#failed').isVisible());
    });
    assert.equal(
      gateway.requests.filter(({ path }) => path === '/').length,
      6,
      'the page was loaded 6 times',
    );
  });

  test('without JavaScript the page says where the todos are', async () => {
    const page = await fixture.open('', { javaScriptEnabled: false });
    assert.match(await page.locator('noscript').textContent(), /needs JavaScript/);
  });

  test('the words are in the language of the person', async () => {
    await fixture.service.create('chá');
    for (const [locale, placeholder, left] of [
      ['pt-BR', 'O que precisa ser feito?', '1 item restante'],
      ['es-MX', '¿Qué hay que hacer?', 'queda 1 tarea'],
      ['fr-FR', 'What needs to be done?', '1 item left'],
    ]) {
      const page = await fixture.open('', { locale });
      await shows(page, ['chá']);
      assert.equal(await page.locator('.new-todo').getAttribute('placeholder'), placeholder);
      assert.equal(await page.locator('.todo-count').textContent(), left);
      assert.equal(
        await page.evaluate(() => document.documentElement.lang),
        locale === 'fr-FR' ? 'en' : locale.slice(0, 2),
      );
    }
  });
});
