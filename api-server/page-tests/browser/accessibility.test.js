// Accessibility of every state of the page: WCAG 2.2 AA by axe in both colors and both directions; narrow
// screens and zoom in all languages; less motion. The keyboard is in `keyboard.test.js`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { onEachDatabase } from './each-database.js';
import { STATES } from './states.js';

const AXE = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];

/** What axe finds, one line for each element. */
const violations = (page) =>
  page.evaluate(async (values) => {
    const { violations } = await globalThis.axe.run(document, { runOnly: { type: 'tag', values } });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, any, all, none }) => {
        const [why] = [...any, ...all, ...none];
        return `${id}: ${html.slice(0, 120)}: ${why?.message}`;
      }),
    );
  }, TAGS);

const setDirection = (page, dir) => page.evaluate((value) => (document.documentElement.dir = value), dir);

/** The page scrolls sideways, or an element is beside the screen. */
const tooWide = (page) =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const wide = [...document.querySelectorAll('body *')].filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return element.checkVisibility() && width > 1 && (left < -1 || right > clientWidth + 1);
    });
    const names = wide.map((element) => element.outerHTML.slice(0, 80));
    return scrollWidth > clientWidth ? [`the page: ${scrollWidth}`, ...names] : names;
  });

/** Texts that are wider than what shows them. */
const cutOff = (page) =>
  page.evaluate(() => {
    const isCut = (element) =>
      element.checkVisibility() &&
      !element.closest('.visually-hidden') &&
      getComputedStyle(element).overflow !== 'visible' &&
      element.scrollWidth > element.clientWidth + 1;
    const all = [...document.querySelectorAll('button, a, label, h1, h2, p, th, td, .chip, .todo-count')];
    return all.filter(isCut).map((element) => element.outerHTML.slice(0, 80));
  });

async function fitsEveryWidth(page) {
  // 320 is also what 1280 pixels are at a zoom of 400 % (WCAG 1.4.10), and 640 at 200 %.
  for (const width of [320, 640, 1280]) {
    await page.setViewportSize({ width, height: 640 });
    for (const dir of ['rtl', 'ltr']) {
      await setDirection(page, dir);
      assert.deepEqual(await tooWide(page), [], `${width} ${dir}`);
    }
  }
  await page.setViewportSize({ width: 640, height: 800 });
  await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
  assert.deepEqual([await cutOff(page), await tooWide(page)], [[], []], 'text at twice its size');
}

/** How a state looks depends on no database. */
const SQLITE = { databases: ['sqlite'] };

for (const login of [undefined, true, false]) {
  const states = STATES.filter((state) => state.login === login);
  const title = { undefined: 'without tokens', true: 'with a login', false: 'with tokens alone' }[login];
  const each = (fixture) => {
    for (const { name, open } of states) {
      test(`in the state ${name}, axe finds nothing and nothing is too wide`, async () => {
        // The policy of the page does not let a script in.
        const page = await open(fixture, { bypassCSP: true, reducedMotion: 'reduce' });
        await page.evaluate(AXE);
        for (const colorScheme of ['dark', 'light']) {
          await page.emulateMedia({ colorScheme });
          for (const dir of ['rtl', 'ltr']) {
            await setDirection(page, dir);
            assert.deepEqual(await violations(page), [], `${colorScheme} ${dir}`);
          }
        }
        await fitsEveryWidth(page);
      });

      // Their words differ from English in nothing but their length.
      for (const locale of ['pt-BR', 'es-MX']) {
        test(`in the state ${name} in ${locale}, nothing is too wide`, async () => {
          await fitsEveryWidth(await open(fixture, { locale, reducedMotion: 'reduce' }));
        });
      }
    }
  };
  onEachDatabase(`accessibility ${title}`, { login, ...SQLITE }, each);
}

onEachDatabase('with less motion', SQLITE, (fixture) => {
  const { open } = STATES.find(({ name }) => name === 'list');
  const moving = (page) =>
    page.evaluate(() => {
      const styles = [...document.querySelectorAll('*')].map((element) => getComputedStyle(element));
      const isMoving = ({ transitionDuration, animationName }) =>
        transitionDuration !== '0s' || animationName !== 'none';
      return styles.filter(isMoving).length;
    });

  test('nothing moves for those who want that', async () => {
    const page = await open(fixture, { reducedMotion: 'reduce' });
    assert.equal(await moving(page), 0);
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    assert.notEqual(await moving(page), 0, 'and this would see it');
  });
});
