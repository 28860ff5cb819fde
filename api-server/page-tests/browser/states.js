// The states that the page can be in, for what looks at all of them: the tests of accessibility, and the
// pictures of the docs. Asserts nothing.

import { loaded, shows, todo, type } from './chromium.js';

const TODOS = [
  { title: 'Water the plants', completed: true },
  { title: 'Book a table for six', priority: 'high', dueDate: '2026-01-05', tags: ['family', 'birthday'] },
  { title: 'Read the chapter on storage classes, and write down what is unclear', tags: ['work'] },
  { title: 'Buy oat milk', priority: 'low', dueDate: '2099-12-24' },
];

/** A page that shows some todos and two lists. */
async function withTodos(fixture, options) {
  const { service } = fixture;
  for (const fields of TODOS) await service.create(fields.title, fields);
  for (const name of ['Groceries', 'Holiday']) await service.send('POST', '/lists', { name });
  const connection = await fixture.connect(options);
  const titles = TODOS.map(({ title }) => title);
  await shows(connection.page, titles);
  await connection.page.locator('.lists a', { hasText: 'Holiday' }).waitFor();
  return connection;
}

/** Other answers of the service to changes, as those of one that cannot save them. */
const failing = ({ gateway }, status, detail) => {
  gateway.intercept = ({ method }) => (method === 'GET' ? null : { status, body: { detail } });
};

/** By name, what leads to the state from a page with some todos. */
const WITH_TODOS = {
  list: async () => {},
  editing: async ({ page }) => {
    await todo(page, 'Buy oat milk').locator('label').dblclick();
    await page.locator('.edit').waitFor();
  },
  details: async ({ page }) => {
    await todo(page, 'Book a table for six').locator('.details').click();
    await page.locator('dialog').waitFor();
  },
  'nothing-found': async ({ page }) => {
    await page.locator('todo-search [name=text]').fill('zebra');
    await page.locator('.nothing').waitFor();
  },
  'own-list': async ({ page }) => {
    await page.locator('.lists a', { hasText: 'Holiday' }).click();
    await page.locator('.rename-list').waitFor();
    await loaded(page);
  },
  'new-list': async ({ page }) => {
    await page.locator('.new-list').click();
    await page.locator('dialog').waitFor();
  },
  deleted: async ({ page }) => {
    await todo(page, 'Buy oat milk').locator('.destroy').click();
    await page.locator('.notice').waitFor();
  },
  keys: async ({ page }) => {
    await page.locator('.keys summary').click();
  },
  conflict: async (connection) => {
    const { page, service } = connection;
    const { id } = (await service.todos()).find(({ title }) => title === 'Buy oat milk');
    await connection.cut();
    await todo(page, 'Buy oat milk').locator('label').dblclick();
    await page.locator('.edit').fill('Buy soy milk');
    await page.locator('.edit').press('Enter');
    await service.send('PATCH', `/todos/${id}`, { title: 'Buy almond milk' });
    await connection.repair();
    await page.locator('.chip.conflict').click();
    await page.locator('dialog').waitFor();
  },
  offline: async ({ page, cut }) => {
    await cut();
    await type(page, 'Call the bank');
    await page.locator('.chip.unsent').waitFor();
  },
  error: async (connection) => {
    failing(connection, 507, 'The volume of the database is full.');
    await todo(connection.page, 'Buy oat milk').locator('.toggle').click();
    await connection.page.locator('.notice.error').waitFor();
  },
  trouble: async (connection) => {
    failing(connection, 503, 'The database is not available; try again in a moment.');
    await todo(connection.page, 'Buy oat milk').locator('.toggle').click();
    await connection.says(/database is not available/);
  },
};

const REFUSED = { expected: [/401/, /403/] };

async function login(fixture, options) {
  const page = await fixture.open('', { ...REFUSED, ...options });
  await page.locator('.panel').waitFor();
  return page;
}

async function forbidden(fixture, options) {
  fixture.issuer.scope = 'openid';
  const page = await login(fixture, options);
  await page.locator('.panel .login').click();
  await page.locator('.logout').waitFor();
  await page.locator('.panel').waitFor();
  return page;
}

async function loginFailed(fixture, options) {
  const page = await fixture.open('?code=c&state=forged', { ...REFUSED, ...options });
  await page.locator('.panel .error:not(:empty)').waitFor();
  return page;
}

/**
 * `login` is that of `onEachDatabase`; `open` returns a page in the state.
 * @type {{name: string, login?: boolean, open: (fixture: object, options: object) => Promise<object>}[]}
 */
export const STATES = [
  { name: 'empty', open: async (fixture, options) => (await fixture.connect(options)).page },
  ...Object.entries(WITH_TODOS).map(([name, reach]) => ({
    name,
    open: async (fixture, options) => {
      const connection = await withTodos(fixture, options);
      await reach(connection);
      return connection.page;
    },
  })),
  { name: 'login', login: true, open: login },
  { name: 'forbidden', login: true, open: forbidden },
  { name: 'login-failed', login: true, open: loginFailed },
  { name: 'token', login: false, open: login },
];
