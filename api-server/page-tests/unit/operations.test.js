// What a person sees of changes that were not confirmed yet, and which of them may be sent.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  applyToLists,
  applyToTodos,
  renamed,
  sendable,
  withDependents,
} from '../../page/model/operations.js';

const todo = (id, title) => ({
  id,
  title,
  completed: false,
  order: null,
  createdAt: '2026-11-20T12:00:00.000Z',
  tags: [],
});
const entries = [1, 2, 3].map((id) => ({ todo: todo(id, `todo ${id}`), list: null }));
const at = Date.parse('2026-11-20T13:00:00Z');

/** Operations with the keys 0, 1, … */
const operations = (...given) =>
  given.map((operation, key) => ({ key: String(key), at, list: null, ...operation }));
const keys = (given) => given.map((operation) => operation.key);

test('operations show at once, in their order', () => {
  const shown = applyToTodos(
    entries,
    operations(
      { kind: 'create', target: 'n-1', body: { title: 'new' } },
      { kind: 'update', target: 'n-1', patch: { completed: true } },
      { kind: 'update', target: 2, patch: { title: 'changed' } },
      { kind: 'delete', target: 1 },
    ),
    null,
  );
  assert.deepEqual(
    shown.map(({ id, title, completed, unsent }) => [id, title, completed, unsent ?? false]),
    [
      [2, 'changed', false, true],
      [3, 'todo 3', false, false],
      ['n-1', 'new', true, true],
    ],
  );
});

test('a list shows its own todos only', () => {
  const shown = applyToTodos(
    [...entries, { todo: todo(9, 'of list 5'), list: 5 }],
    operations({ kind: 'create', list: 5, target: 'n-1', body: { title: 'new' } }),
    5,
  );
  assert.deepEqual(
    shown.map(({ title }) => title),
    ['of list 5', 'new'],
  );
});

test('a change of a todo that somebody else has deleted shows nothing', () => {
  assert.deepEqual(
    applyToTodos([], operations({ kind: 'update', target: 7, patch: { title: 'x' } }), null),
    [],
  );
});

test('lists are made, renamed and deleted', () => {
  const shown = applyToLists(
    [
      { id: 1, name: 'a' },
      { id: 2, name: 'b' },
    ],
    operations(
      { kind: 'create-list', target: 'L-1', body: { name: 'c' } },
      { kind: 'rename-list', target: 1, body: { name: 'A' } },
      { kind: 'delete-list', target: 2 },
    ),
  );
  assert.deepEqual(shown, [
    { id: 1, name: 'A' },
    { id: 'L-1', name: 'c' },
  ]);
});

test('operations on the same todo are sent one after the other, others at the same time', () => {
  const queue = operations(
    { kind: 'update', target: 1, patch: {} },
    { kind: 'update', target: 1, patch: {} },
    { kind: 'delete', target: 2 },
  );
  assert.deepEqual(keys(sendable(queue, new Set(), new Set())), ['0', '2']);
  // Also while the first is under way, or waits for a decision.
  assert.deepEqual(keys(sendable(queue, new Set(['0']), new Set())), ['2']);
  assert.deepEqual(keys(sendable(queue, new Set(), new Set(['0']))), ['2']);
});

test('new todos of a list are sent in their order, unless they say their place', () => {
  const queue = operations(
    { kind: 'create', target: 'n-1', body: {} },
    { kind: 'create', target: 'n-2', body: {} },
    { kind: 'create', target: 'n-3', body: { order: 7 } },
    { kind: 'create', target: 'n-4', list: 5, body: {} },
  );
  assert.deepEqual(keys(sendable(queue, new Set(), new Set())), ['0', '2', '3']);
});

test('what needs a new list, a new todo or another operation waits for it', () => {
  const queue = operations(
    { kind: 'create-list', target: 'L-1', list: undefined, body: {} },
    { kind: 'create', target: 'n-1', list: 'L-1', body: {} },
    { kind: 'update', target: 'n-1', list: 'L-1', patch: {} },
    { kind: 'delete', target: 4, after: '1' },
  );
  assert.deepEqual(keys(sendable(queue, new Set(), new Set())), ['0']);
});

test('without a new list its todos are given up too, and a todo that was to be moved into it stays', () => {
  const queue = operations(
    { kind: 'create-list', target: 'L-1', list: undefined, body: {} },
    { kind: 'create', target: 'n-1', list: 'L-1', body: {} },
    { kind: 'delete', target: 4, after: '1' },
    { kind: 'update', target: 5, patch: {} },
  );
  assert.deepEqual(keys(withDependents(queue, queue[0])), ['0', '1', '2']);
});

test('a change that was rejected takes no other change of the todo with it', () => {
  const queue = operations(
    { kind: 'update', target: 1, patch: {} },
    { kind: 'update', target: 1, patch: {} },
  );
  assert.deepEqual(keys(withDependents(queue, queue[0])), ['0']);
});

test('a new todo gets its number in all operations', () => {
  const [update] = operations({ kind: 'update', target: 'n-1', list: 'L-1' });
  assert.equal(renamed(update, 'n-1', 7).target, 7);
  assert.equal(renamed(update, 'L-1', 3).list, 3);
  assert.equal(renamed(update, 'n-2', 7), update);
});
