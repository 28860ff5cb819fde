// The operations that a browser keeps.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Queue } from '../../page/model/queue.js';

/** As `localStorage`. */
function storage() {
  const items = new Map();
  return {
    items,
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => items.set(name, value),
    removeItem: (name) => items.delete(name),
  };
}

const titles = (queue) => queue.operations.map(({ body }) => body.title);
const create = (title) => ({ kind: 'create', list: null, target: `n-${title}`, body: { title } });

test('operations are kept in their order over a reload, also those of one millisecond', () => {
  const kept = storage();
  const queue = new Queue(kept, 'p');
  for (const title of ['c', 'b', 'a']) queue.add(create(title), 1000, title);
  assert.deepEqual(titles(new Queue(kept, 'p')), ['c', 'b', 'a']);
});

test('what was sent is not kept', () => {
  const kept = storage();
  const queue = new Queue(kept, 'p');
  const { key } = queue.add(create('a'), 1000, 'x');
  queue.remove(key);
  assert.deepEqual([titles(queue), kept.items.size], [[], 0]);
});

test('two tabs see the operations of each other, and do not overwrite them', () => {
  const kept = storage();
  const [one, two] = [new Queue(kept, 'p'), new Queue(kept, 'p')];
  one.add(create('a'), 1000, 'x');
  two.add(create('b'), 1000, 'y');
  assert.deepEqual(titles(one.read()).sort(), ['a', 'b']);
  assert.deepEqual(titles(two.read()).sort(), ['a', 'b']);
});

test('services and people have queues of their own', () => {
  const kept = storage();
  new Queue(kept, 'shop/').add(create('a'), 1000, 'x');
  assert.deepEqual(titles(new Queue(kept, 'shop/ann')), []);
  assert.ok(new Queue(kept, 'shop/').owns('shop//op/1') && !new Queue(kept, 'shop/').owns('shop/ann/op/1'));
});

test('without a storage, or with a full one, operations are kept in memory, and the page can say so', () => {
  const full = {
    ...storage(),
    length: 0,
    setItem: () => {
      throw new Error('quota');
    },
  };
  for (const [kept, durable] of [
    [full, false],
    [null, true],
  ]) {
    const queue = new Queue(kept, 'p');
    queue.add(create('a'), 1000, 'x');
    assert.deepEqual(titles(queue.read()), ['a']);
    assert.equal(queue.durable, durable);
  }
});

test('entries of another version or another program are ignored', () => {
  const kept = storage();
  for (const [name, text] of [
    ['p/op/1', 'no JSON'],
    ['p/op/2', '{"key":1}'],
    ['p/op/3', 'null'],
    ['other', '{}'],
  ]) {
    kept.setItem(name, text);
  }
  assert.deepEqual(new Queue(kept, 'p').operations, []);
});

test('a new todo gets its number in the operations that wait, also in those that are kept', () => {
  const kept = storage();
  const queue = new Queue(kept, 'p');
  queue.add({ kind: 'update', list: null, target: 'n-a', patch: {}, base: {} }, 1000, 'x');
  queue.rename('n-a', 7);
  assert.equal(new Queue(kept, 'p').operations[0].target, 7);
});

test('what was removed by another tab is not written again', () => {
  const kept = storage();
  const queue = new Queue(kept, 'p');
  const operation = queue.add(create('a'), 1000, 'x');
  queue.remove(operation.key);
  queue.replace({ ...operation, tried: true });
  assert.equal(kept.items.size, 0);
});
