// What happens when a todo was changed here and elsewhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changedSince, changes, clashes, same } from '../../page/model/merge.js';

const BASE = { title: 'tea', completed: false, dueDate: null, tags: ['a'], priority: null, order: null };

test('changes of different fields do not clash', () => {
  assert.deepEqual(clashes({ title: 'milk' }, BASE, { ...BASE, completed: true, tags: ['b'] }), []);
});

test('changes of the same field clash, unless they are the same', () => {
  assert.deepEqual(clashes({ title: 'milk' }, BASE, { ...BASE, title: 'water' }), ['title']);
  assert.deepEqual(clashes({ title: 'milk' }, BASE, { ...BASE, title: 'milk' }), []);
  assert.deepEqual(clashes({ tags: ['b'] }, BASE, { ...BASE, tags: ['c'] }), ['tags']);
});

test('a state cannot clash, since it has two values', () => {
  assert.deepEqual(clashes({ completed: true }, BASE, { ...BASE, completed: true }), []);
});

test('nobody is asked about the place of a todo', () => {
  assert.deepEqual(clashes({ order: 5 }, BASE, { ...BASE, order: 9 }), []);
});

test('a deletion clashes with any change that the person has not seen', () => {
  assert.deepEqual(changedSince(BASE, { ...BASE, title: 'milk', order: 3 }), ['title']);
  assert.deepEqual(changedSince(BASE, { ...BASE, tags: ['a'] }), []);
});

test('only what differs is sent', () => {
  assert.deepEqual(changes(BASE, { title: 'tea', tags: ['a'], dueDate: '2026-11-20' }), {
    dueDate: '2026-11-20',
  });
});

test('lists of tags are the same when their tags are, in the same order', () => {
  assert.ok(
    same(['a', 'b'], ['a', 'b']) && !same(['a', 'b'], ['b', 'a']) && !same([], ['a']) && !same(null, []),
  );
});
