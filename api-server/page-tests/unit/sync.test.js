// What is sent for the operations of a person, and what happens with the answers. Against a service in
// memory.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { Queue } from '../../page/model/queue.js';
import { Actions } from '../../page/net/actions.js';
import { Api } from '../../page/net/api.js';
import { Store } from '../../page/net/store.js';
import { Sync } from '../../page/net/sync.js';
import { FakeService, problem } from './service.js';

let service;
let store;
let sync;
let actions;
let rejected;

beforeEach(() => {
  service = new FakeService();
  store = new Store();
  store.queue = new Queue(null, 'p');
  store.connection = 'live';
  sync = new Sync(new Api(service.fetch), store);
  actions = new Actions(store, sync);
  rejected = [];
  sync.onRejected = (operation, why) => rejected.push([operation.kind, why.status]);
  sync.onUnreachable = () => store.set({ connection: 'offline' });
});

/** The todos of the service, as the page has loaded them. */
function load() {
  store.putTodos(
    null,
    [...service.todos.values()].map(({ todo }) => todo),
    store.now(),
  );
  return store.todos(null);
}

/** Awaits that nothing is under way. */
async function settled() {
  do await new Promise((resolve) => setImmediate(resolve));
  while (store.busy.size > 0);
}

const sent = () =>
  service.requests.map(({ method, path, headers }) => [method, path, headers['if-match'] ?? null]);
const shown = () => store.todos(null).map(({ title }) => title);

test('a new todo is shown at once and sent with an Idempotency-Key', async () => {
  actions.create(null, '  tea ');
  assert.deepEqual(shown(), ['tea']);
  await settled();
  assert.deepEqual(
    service.requests.map(({ method, path, body }) => [method, path, body]),
    [['POST', 'todos', { title: 'tea' }]],
  );
  assert.match(service.requests[0].headers['idempotency-key'], /^[!-~]{1,255}$/);
  assert.deepEqual([shown(), store.operations], [['tea'], []]);
});

test('what a person does with a new todo is sent with its number', async () => {
  actions.create(null, 'tea');
  actions.update(null, store.todos(null)[0], { completed: true });
  await settled();
  assert.deepEqual(sent(), [
    ['POST', 'todos', null],
    ['PATCH', 'todos/1', '"1"'],
  ]);
  assert.equal(service.todos.get(1).todo.completed, true);
});

test('a change is sent with the ETag that is known, or else with one that is asked for', async () => {
  service.put({ title: 'tea' });
  const [todo] = load();
  actions.update(null, todo, { title: 'milk' });
  await settled();
  actions.update(null, store.todos(null)[0], { title: 'water' });
  await settled();
  const expected = [
    ['GET', 'todos/1', null],
    ['PATCH', 'todos/1', '"1"'],
    ['PATCH', 'todos/1', '"2"'],
  ];
  assert.deepEqual(sent(), expected);
});

test('a state needs no ETag while the page is live, and has one after it was offline', async () => {
  service.put({ title: 'tea' });
  actions.complete(null, load(), true);
  await settled();
  assert.deepEqual(sent(), [['PATCH', 'todos/1', null]]);

  service.put({ title: 'milk' });
  const milk = load().find(({ title }) => title === 'milk');
  store.connection = 'offline';
  actions.complete(null, [milk], true);
  store.connection = 'live';
  sync.run();
  await settled();
  assert.deepEqual(sent().slice(1), [
    ['GET', `todos/${milk.id}`, null],
    ['PATCH', `todos/${milk.id}`, '"1"'],
  ]);
});

test('a change of another field elsewhere is no conflict', async () => {
  service.put({ title: 'tea' });
  const [todo] = load();
  service.put({ id: 1, completed: true });
  actions.update(null, todo, { title: 'milk' });
  await settled();
  const { title, completed } = service.todos.get(1).todo;
  assert.deepEqual([title, completed, store.conflicts.size], ['milk', true, 0]);
});

test('a change of the same field elsewhere waits for the person, who keeps one of both', async () => {
  for (const [keepMine, kept] of [
    [true, 'mine'],
    [false, 'theirs'],
  ]) {
    service.put({ id: 1, title: 'tea' });
    const [todo] = load();
    service.put({ id: 1, title: 'theirs' });
    actions.update(null, todo, { title: 'mine' });
    await settled();
    assert.deepEqual([shown(), service.todos.get(1).todo.title], [['mine'], 'theirs']);
    const [conflict] = store.conflicts.values();
    assert.equal(conflict.current.title, 'theirs');
    actions.resolve(conflict, keepMine);
    await settled();
    assert.deepEqual([service.todos.get(1).todo.title, shown(), store.operations], [kept, [kept], []]);
  }
});

test('a change between the ETag and the request is noticed', async () => {
  service.put({ title: 'tea' });
  const [todo] = load();
  service.fault = ({ method }) => {
    if (method !== 'PATCH') return null;
    service.fault = () => null;
    service.put({ id: 1, title: 'theirs' });
    return null;
  };
  actions.update(null, todo, { title: 'mine' });
  await settled();
  assert.deepEqual(
    sent().map(([method]) => method),
    ['GET', 'PATCH', 'GET'],
  );
  assert.equal(store.conflicts.size, 1);
});

test('a todo that was deleted elsewhere can be created again with the change', async () => {
  service.put({ title: 'tea', tags: ['a'] });
  const [todo] = load();
  service.todos.delete(1);
  actions.update(null, todo, { title: 'milk' });
  await settled();
  const [conflict] = store.conflicts.values();
  assert.equal(conflict.current, null);
  actions.resolve(conflict, true);
  await settled();
  assert.deepEqual(
    [...service.todos.values()].map(({ todo }) => [todo.title, todo.tags]),
    [['milk', ['a']]],
  );
});

test('a todo that was changed elsewhere is not deleted without a question', async () => {
  service.put({ title: 'tea' });
  store.connection = 'polling';
  const [todo] = load();
  service.put({ id: 1, title: 'theirs' });
  actions.delete(null, [todo]);
  await settled();
  assert.ok(service.todos.has(1));
  actions.resolve([...store.conflicts.values()][0], true);
  await settled();
  assert.deepEqual([service.todos.size, store.operations], [0, []]);
});

test('a todo that somebody else has deleted is deleted', async () => {
  service.put({ title: 'tea' });
  const [todo] = load();
  service.todos.clear();
  actions.delete(null, [todo]);
  await settled();
  assert.deepEqual([shown(), store.operations, store.conflicts.size], [[], [], 0]);
});

test('what the service rejects is taken back and reported', async () => {
  service.put({ title: 'tea' });
  const [todo] = load();
  service.fault = ({ method }) => (method === 'PATCH' ? problem(422, 'invalid-body') : null);
  actions.update(null, todo, { title: 'milk' });
  assert.deepEqual(shown(), ['milk']);
  await settled();
  assert.deepEqual([shown(), rejected, store.operations], [['tea'], [['update', 422]], []]);
});

test('without a network everything waits, and is sent in its order when it is back', async () => {
  service.put({ title: 'tea' });
  const [todo] = load();
  service.fault = () => new TypeError('Failed to fetch');
  actions.create(null, 'a');
  await settled();
  assert.equal(store.connection, 'offline');
  actions.create(null, 'b');
  actions.delete(null, [todo]);
  assert.deepEqual(shown(), ['a', 'b']);
  const [lost] = service.requests;
  service.fault = () => null;
  service.requests = [];
  store.connection = 'live';
  sync.wake();
  await settled();
  assert.deepEqual(
    [...service.todos.values()].map(({ todo }) => todo.title),
    ['a', 'b'],
  );
  const repeated = service.requests.find(({ body }) => body?.title === 'a');
  assert.equal(repeated.headers['idempotency-key'], lost.headers['idempotency-key']);
  assert.deepEqual(repeated.body, lost.body);
});

test('a service that is overloaded is asked again when it says', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  service.fault = () => problem(503, 'overloaded', { 'retry-after': '7' });
  actions.create(null, 'a');
  await settled();
  assert.equal(store.trouble.status, 503);
  service.fault = () => null;
  mock.timers.tick(6999);
  await settled();
  assert.equal(service.requests.length, 1);
  mock.timers.tick(1);
  await settled();
  mock.timers.reset();
  assert.deepEqual([service.requests.length, store.trouble, store.operations], [2, null, []]);
});

test('a deletion that was not sent yet is taken back as if nothing had been', async () => {
  service.put({ title: 'tea' });
  const [todo] = load();
  store.connection = 'offline';
  actions.delete(null, [todo]);
  assert.deepEqual(shown(), []);
  actions.undo();
  assert.deepEqual([shown(), store.operations], [['tea'], []]);
});

test('an answer that comes late does not bring back what was changed since', async () => {
  service.put({ title: 'tea' });
  service.put({ title: 'milk' });
  const since = store.now();
  const old = [...service.todos.values()].map(({ todo }) => todo);
  store.putTodos(null, old, since);
  store.putTodo({ ...old[0], title: 'green tea', updatedAt: '2026-06-01T00:00:00.000Z' }, null, '"2"');
  store.removeTodo(2);
  store.putTodos(null, old, since);
  assert.deepEqual(shown(), ['green tea']);
});

test('an event that comes late or twice changes nothing', () => {
  const todo = { ...service.put({ title: 'tea' }), updatedAt: '2026-06-01T00:00:00.000Z' };
  store.putTodo(todo, null, '"5"');
  store.putTodo({ ...todo, title: 'old', updatedAt: '2026-05-01T00:00:00.000Z' }, null, '"4"');
  assert.deepEqual([shown(), store.entry(1).etag], [['tea'], '"5"']);
  store.removeTodo(1);
  store.putTodo(todo, null, '"5"');
  assert.deepEqual(shown(), []);
});
