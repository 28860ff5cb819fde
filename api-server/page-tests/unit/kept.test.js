// What stays in the browser of the todos that it has seen.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { Kept } from '../../page/net/kept.js';
import { NEW } from '../../page/model/operations.js';
import { Queue } from '../../page/model/queue.js';
import { Store } from '../../page/net/store.js';

const AT = '2026-01-01T00:00:00.000Z';
const TEA = { ...NEW, id: 1, title: 'tea', createdAt: AT, updatedAt: AT };

let items;
const storage = {
  getItem: (name) => items.get(name) ?? null,
  setItem: (name, value) => items.set(name, value),
};

/** A page that has loaded a todo, unless it is opened without a network. */
function openPage({ loaded = true, own = storage } = {}) {
  const store = new Store();
  store.queue = new Queue(null, 'q');
  if (loaded) store.putTodos(null, [TEA], store.now());
  return { store, kept: new Kept(store, own, 'page') };
}

beforeEach(() => {
  items = new Map();
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
});

function keep({ kept }, isAllowed) {
  kept.keepLater(null, isAllowed);
  mock.timers.tick(60_000);
}

test('todos that were seen are shown by a page without a network, which says so', () => {
  keep(openPage(), true);
  const { store, kept } = openPage({ loaded: false });
  kept.restore(null);
  assert.deepEqual(
    store.todos(null).map(({ title }) => title),
    ['tea'],
  );
  assert.equal(store.fromCache, true);
});

test('todos of a person who has logged in are not kept', () => {
  keep(openPage(), false);
  assert.equal(items.size, 0);
});

test('what was kept does not replace what the service has said', () => {
  keep(openPage(), true);
  const { store, kept } = openPage({ loaded: false });
  store.putTodos(null, [], store.now());
  kept.restore(null);
  assert.deepEqual([store.todos(null), store.fromCache], [[], false]);
});

test('a storage that is full, or holds something else, keeps nothing and breaks nothing', () => {
  const full = {
    getItem: () => '{"not": "a list"}',
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError');
    },
  };
  keep(openPage({ own: full }), true);
  const { store, kept } = openPage({ loaded: false, own: full });
  kept.restore(null);
  assert.deepEqual([store.todos(null), store.fromCache], [[], false]);
});
