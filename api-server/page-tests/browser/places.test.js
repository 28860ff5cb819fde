// Where the page is served: below a prefix, with and without the slash at its end, on an address without TLS,
// and while it is replaced by another version.

import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';

import { close, eventually, launch, open, saved, shows, type } from './chromium.js';
import { Gateway } from './gateway.js';
import { Service } from './service.js';

describe('the places of the page', () => {
  let service;
  let browser;
  before(async () => {
    [service, browser] = [await Service.start(), await launch()];
  });
  after(async () => {
    await browser.close();
    await service.stop();
  });

  for (const end of ['', '/', '/?utm=1#/active', '#/active']) {
    test(`below a prefix, opened with “${end}” at the end`, async () => {
      await service.clear();
      const gateway = await Gateway.start(service, { prefix: '/apps/shop' });
      // A browser reads ahead of the script that adds the slash, and asks for files beside the prefix.
      const expected = end.startsWith('/') ? [] : [/\/apps\/page\//];
      const page = await open(browser, `${gateway.origin}/apps/shop${end}`, { expected });
      await type(page, 'tea');
      await shows(page, ['tea']);
      await saved(page);
      await page.reload();
      await shows(page, ['tea']);
      assert.ok(page.url().startsWith(gateway.url), page.url());
      if (end.includes('active'))
        assert.ok(await page.locator('.filters a.selected', { hasText: 'Active' }).isVisible());
      assert.ok(gateway.requests.length > 30);
      await close(page);
      await gateway.stop();
    });
  }

  test('an address that is no localhost and has no TLS, as a NodePort', async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find(({ family, internal }) => family === 'IPv4' && !internal);
    assert.ok(address, 'this machine has an address of its own');
    const own = await Service.start({ listen: `${address.address}:0` });
    // Browsers ignore the header without TLS, and say so.
    const page = await open(browser, own.url, { expected: [/Cross-Origin-Opener-Policy/] });
    assert.equal(await page.evaluate(() => isSecureContext), false);
    await type(page, 'tea');
    await shows(page, ['tea']);
    await saved(page);
    assert.equal((await own.todos()).length, 1);
    await close(page);
    await own.stop();
  });

  test('a page whose files another replica does not have is loaded again', async () => {
    const gateway = await Gateway.start(service);
    let missing = 2;
    gateway.intercept = ({ path }) => (path.endsWith('/main.js') && missing-- > 0 ? { status: 404 } : null);
    const page = await open(browser, gateway.url, { expected: [/main\.js/] });
    await eventually(async () => assert.match(await page.locator('.connection').textContent(), /Live/));
    assert.equal(await page.locator('#failed').isHidden(), true);
    await close(page);
    await gateway.stop();
  });

  test('a page whose files cannot be had says so', async () => {
    const gateway = await Gateway.start(service);
    gateway.intercept = ({ path }) => (path.endsWith('/net/api.js') ? { status: 404 } : null);
    const page = await open(browser, gateway.url, { expected: [/api\.js/] });
    await page.locator('#failed').waitFor({ timeout: 30_000 });
    await close(page);
    await gateway.stop();
  });

  test('without JavaScript the page says where the todos are', async () => {
    const page = await open(browser, service.url, { javaScriptEnabled: false });
    assert.match(await page.locator('noscript').textContent(), /needs JavaScript/);
    await close(page);
  });

  test('the words are in the language of the person', async () => {
    await service.clear();
    await service.create('chá');
    for (const [locale, placeholder, left] of [
      ['pt-BR', 'O que precisa ser feito?', '1 item restante'],
      ['es-MX', '¿Qué hay que hacer?', 'queda 1 tarea'],
      ['fr-FR', 'What needs to be done?', '1 item left'],
    ]) {
      const page = await open(browser, service.url, { locale });
      await shows(page, ['chá']);
      assert.equal(await page.locator('.new-todo').getAttribute('placeholder'), placeholder);
      assert.equal(await page.locator('.todo-count').textContent(), left);
      assert.equal(
        await page.evaluate(() => document.documentElement.lang),
        locale === 'fr-FR' ? 'en' : locale.slice(0, 2),
      );
      await close(page);
    }
  });
});
