// What others write is text, and what the page may load and keep is little. Tokens are in `login.test.js`.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { close, eventually, launch, open, shows, todo } from './chromium.js';
import { Gateway } from './gateway.js';
import { Service } from './service.js';

const HOSTILE = {
  'an image': '<img src=x onerror="document.title=1"><b>&amp;</b>',
  'a script': '</label></li><script>document.title = 1</script>',
  'an address': 'javascript:document.title=1',
  'a template': '{{document.title=1}} ${document.title = 1}',
  'a name of all objects': '__proto__',
  'an override of the direction': '\u202Egpj.eod\u2066 \u2067x',
  'half a character': 'tea \uFFFD \u{1F469}\u200D\u{1F680}',
};

describe('what others write', () => {
  let service;
  let browser;
  let page;
  const list = (name) => page.locator('.lists a').filter({ hasText: name });

  before(async () => {
    [service, browser] = [await Service.start(), await launch()];
  });
  after(async () => {
    await browser.close();
    await service.stop();
  });
  beforeEach(() => service.clear());
  afterEach(() => close(page));

  for (const [what, text] of Object.entries(HOSTILE)) {
    test(`is text in titles, tags and names of lists: ${what}`, async () => {
      await service.create(text, { tags: [text] });
      const { id } = await service.send('POST', '/lists', { name: text });
      page = await open(browser, service.url);
      await shows(page, [text]);
      assert.equal(await page.locator('.chip.tag').textContent(), text);
      assert.equal(await page.locator(`[data-list="${id}"]`).textContent(), text);
      const added = '.todo-list :is(img, b, script), .lists :is(img, b, script)';
      assert.equal(await page.locator(added).count(), 0);
      assert.equal(await page.title(), 'Todos');

      await page.locator('.chip.tag').click();
      await eventually(async () => assert.equal(await page.locator('[name=tag]').inputValue(), text));
      await shows(page, [text]);
      await page.locator('.details').click();
      assert.equal(await page.locator('dialog [name=title]').inputValue(), text);
      await page.keyboard.press('Escape');
      await page.locator('.destroy').click();
      await page.locator('.notice').waitFor();
      await page.locator(`[data-list="${id}"]`).click();
      await eventually(async () => assert.equal(await page.locator('h1').textContent(), text));
      await page.locator('.delete-list').click();
      assert.ok((await page.locator('dialog p').first().textContent()).includes(`“${text}”`));
    });
  }

  test('an override of the direction ends with the text that has it', async () => {
    await service.create('\u202Eright to left', { tags: ['\u202Etag'] });
    await service.create('plain');
    page = await open(browser, service.url);
    await shows(page, ['\u202Eright to left', 'plain']);
    const isolated = await page.evaluate(() =>
      [...document.querySelectorAll('.todo label, .chip.tag')].map(
        (element) => getComputedStyle(element).unicodeBidi,
      ),
    );
    for (const value of isolated) assert.match(value, /isolate|plaintext/);
  });

  test('is text where the service says why it rejects a change', async () => {
    const gateway = await Gateway.start(service);
    await service.create('tea');
    page = await open(browser, gateway.url, { expected: [/422/, /ERR_/] });
    await shows(page, ['tea']);
    gateway.intercept = ({ method }) =>
      method === 'PATCH' ? { status: 422, body: { detail: '<img src=x onerror="document.title=1">' } } : null;
    await todo(page, 'tea').locator('.toggle').click();
    await page.locator('.notice.error', { hasText: '<img src=x' }).waitFor();
    assert.equal(await page.locator('.notice img').count(), 0);
    await gateway.stop();
  });

  test('cannot bring the page to an address of somebody else, or to a list that is none', async () => {
    for (const fragment of ['#/?list=//evil.example', '#/?list=L-<b>', '#//evil.example', '#/?q=%00%FF']) {
      page = await open(browser, `${service.url}/${fragment}`);
      await page.locator('.new-todo').waitFor();
      await page.locator('.lists a').first().waitFor();
      const links = await page.locator('a').evaluateAll((all) => all.map(({ href }) => new URL(href).origin));
      assert.deepEqual([...new Set(links)], [new URL(service.url).origin]);
      if (fragment !== '#/?q=%00%FF') await close(page);
    }
  });
});

describe('what the page may do', () => {
  let service;
  before(async () => {
    service = await Service.start();
  });
  after(() => service.stop());

  test('its policy allows nothing inline, nothing from elsewhere, no frame and no text as code', async () => {
    const { headers } = await fetch(service.url, { headers: { accept: 'text/html' } });
    const policy = headers.get('content-security-policy');
    assert.doesNotMatch(policy, /unsafe-|\*|data:|blob:|http/);
    const directives = Object.fromEntries(
      policy.split(';').map((directive) => {
        const [name, ...values] = directive.trim().split(' ');
        return [name, values.join(' ')];
      }),
    );
    assert.equal(directives['default-src'], "'none'");
    assert.equal(directives['frame-ancestors'], "'none'");
    assert.equal(directives['base-uri'], "'none'");
    assert.equal(directives['require-trusted-types-for'], "'script'");
    assert.match(directives['script-src'], /^'self'( 'sha256-[^']+')*$/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  });
});
