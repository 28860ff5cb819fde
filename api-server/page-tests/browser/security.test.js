// What others write is text, and what the page may load and keep is little. Tokens are in `login.test.js`.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { eventually, loaded, shows, todo } from './chromium.js';
import { onEachDatabase } from './each-database.js';

const HOSTILE = {
  'an image': '<img src=x onerror="document.title=1"><b>&amp;</b>',
  'a script': '</label></li><script>document.title = 1</script>',
  'an address': 'javascript:document.title=1',
  'a template': '{{document.title=1}} ${document.title = 1}',
  'a name of all objects': '__proto__',
  'an override of the direction': '\u202Egpj.eod\u2066 \u2067x',
  'half a character': 'tea \uFFFD \u{1F469}\u200D\u{1F680}',
};

onEachDatabase('what others write', (fixture) => {
  let service;
  let page;
  const list = (name) => page.locator('.lists a').filter({ hasText: name });

  beforeEach(() => ({ service } = fixture));

  for (const [what, text] of Object.entries(HOSTILE)) {
    test(`is text in titles, tags and names of lists: ${what}`, async () => {
      await service.create(text, { tags: [text] });
      const { id } = await service.send('POST', '/lists', { name: text });
      page = await fixture.open();
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
    page = await fixture.open();
    await shows(page, ['\u202Eright to left', 'plain']);
    const isolated = await page.evaluate(() =>
      [...document.querySelectorAll('.todo label, .chip.tag')].map(
        (element) => getComputedStyle(element).unicodeBidi,
      ),
    );
    for (const value of isolated) assert.match(value, /isolate|plaintext/);
  });

  test('is text where the service says why it rejects a change', async () => {
    const gateway = await fixture.gateway();
    await service.create('tea');
    page = await fixture.open(gateway.url, { expected: [/422/, /ERR_/] });
    await shows(page, ['tea']);
    gateway.intercept = ({ method }) =>
      method === 'PATCH' ? { status: 422, body: { detail: '<img src=x onerror="document.title=1">' } } : null;
    await todo(page, 'tea').locator('.toggle').click();
    await page.locator('.notice.error', { hasText: '<img src=x' }).waitFor();
    assert.equal(await page.locator('.notice img').count(), 0);
  });

  test('cannot bring the page to an address of somebody else, or to a list that is none', async () => {
    for (const fragment of ['#/?list=//evil.example', '#/?list=L-<b>', '#//evil.example', '#/?q=%00%FF']) {
      page = await fixture.open(fragment);
      await page.locator('.new-todo').waitFor();
      await page.locator('.lists a').first().waitFor();
      const links = await page.locator('a').evaluateAll((all) => all.map(({ href }) => new URL(href).origin));
      assert.deepEqual([...new Set(links)], [new URL(service.url).origin]);
    }
  });
});

onEachDatabase('what the page may do', (fixture) => {
  test('its policy allows nothing inline, nothing from elsewhere, no frame and no text as code', async () => {
    const { headers } = await fetch(fixture.service.url, { headers: { accept: 'text/html' } });
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

  test('a script that is added to it does not run, and HTML is not made from text', async () => {
    const page = await fixture.open('', { expected: [/Content Security Policy|TrustedHTML|TrustedScript/] });
    await loaded(page);
    const outcome = await page.evaluate(async () => {
      // DevTools lets what it evaluates call eval; what runs after that is as a script of the page.
      await new Promise((resolve) => setTimeout(resolve));
      const attempts = [
        () => (document.createElement('script').textContent = 'document.title = "run"'),
        () => (document.body.innerHTML = '<img src=x onerror="document.title=1">'),
        () => (document.createElement('script').src = 'https://evil.example/a.js'),
        () => globalThis.eval('document.title = "run"'),
      ];
      const failures = attempts.map((attempt) => {
        try {
          attempt();
          return 'no error';
        } catch (error) {
          return error.name;
        }
      });
      return [document.title, ...failures];
    });
    assert.deepEqual(outcome, ['Todos', 'TypeError', 'TypeError', 'TypeError', 'EvalError']);
  });
});
