// The order of todos, and moving one among others.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compare, moveTo, orderAtEnd, position } from '../../page/model/order.js';

const created = (id, second, order = null) => ({
  id,
  order,
  createdAt: new Date(second * 1000).toISOString(),
});

/** The ids in their order after a move. */
function afterMove(todos, id, index) {
  const changes = new Map(moveTo(todos, id, index).map((change) => [change.id, change.order]));
  const moved = todos.map((todo) => ({ ...todo, order: changes.get(todo.id) ?? todo.order }));
  return moved.sort(compare).map((todo) => todo.id);
}

test('todos without an order stand by their creation, and after those that have one', () => {
  const todos = [created(1, 10), created(2, 20), created(3, 30, 5), created(4, 40, 2)];
  assert.deepEqual(
    todos.sort(compare).map((todo) => todo.id),
    [4, 3, 1, 2],
  );
});

test('todos of the same moment stand by their number, and those without one last', () => {
  const todos = [created('n-a', 10), created(2, 10), created(1, 10)];
  assert.deepEqual(
    todos.sort(compare).map((todo) => todo.id),
    [1, 2, 'n-a'],
  );
});

test('a todo is moved between two others by one change', () => {
  const todos = [1, 2, 3, 4].map((id) => created(id, id));
  const changes = moveTo(todos, 4, 1);
  assert.equal(changes.length, 1);
  assert.deepEqual(afterMove(todos, 4, 1), [1, 4, 2, 3]);
});

test('every todo can be moved to every place, also among todos of the same moment', () => {
  const sets = [
    [1, 2, 3, 4, 5].map((id) => created(id, id)),
    [1, 2, 3, 4, 5].map((id) => created(id, 7)),
    [1, 2, 3, 4, 5].map((id) => created(id, id, id)),
    [created(1, 1, -5), created(2, 1, -5), created(3, 3), created(4, 3), created(5, 3.001)],
  ];
  for (const todos of sets) {
    for (const { id } of todos) {
      for (let index = 0; index < todos.length; index += 1) {
        const ids = todos.map((todo) => todo.id).filter((other) => other !== id);
        ids.splice(index, 0, id);
        assert.deepEqual(afterMove(todos, id, index), ids, `${id} to ${index}`);
      }
    }
  }
});

test('a todo can be moved again and again between the same two', () => {
  let todos = [created(1, 1), created(2, 1.001), created(3, 2), created(4, 3)];
  for (let turn = 0; turn < 60; turn += 1) {
    const last = todos.at(-1).id;
    const changes = new Map(moveTo(todos, last, 1).map((change) => [change.id, change.order]));
    todos = todos.map((todo) => ({ ...todo, order: changes.get(todo.id) ?? todo.order })).sort(compare);
    assert.equal(todos[1].id, last);
    assert.ok(todos.every((todo) => Number.isSafeInteger(position(todo))));
  }
});

test('the only todo needs no change', () => {
  assert.deepEqual(moveTo([created(1, 1)], 1, 0), []);
});

test('a new todo needs an order only where another one stands in the future', () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  assert.equal(orderAtEnd([], now), undefined);
  assert.equal(orderAtEnd([created(1, now / 1000 - 1)], now), undefined);
  const late = { id: 1, order: now * 1000 + 5 };
  assert.ok(orderAtEnd([late], now) > late.order);
  assert.equal(orderAtEnd([{ id: 1, order: Number.MAX_SAFE_INTEGER }], now), Number.MAX_SAFE_INTEGER);
});
