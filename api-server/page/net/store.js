// What this page knows: the todos and lists as the service has them, and the operations that it has not
// confirmed. What a person sees is both together. Changes nothing by itself and sends nothing.

import { applyToLists, applyToTodos } from '../model/operations.js';

export class Store extends EventTarget {
  /** @type {Map<number, {todo: object, list: unknown, etag: string | null}>} */
  #todos = new Map();
  #lists = new Map();
  #listEtags = new Map();
  /** Lists whose todos were loaded. */
  #loaded = new Set();
  /** Numbers are never used again, so a late event about a deleted todo can be ignored. */
  #deleted = new Set();
  /** When each todo was changed last, so that a slow answer does not bring back the state before. */
  #touched = new Map();
  #clock = 0;
  /** Numbers that new todos and lists were given. */
  #aliases = new Map();
  #keys = new Map();
  #scheduled = false;

  queue = null;
  /** connecting, live, polling or offline */
  connection = 'connecting';
  /** The last answer of a service that cannot do its work at present. */
  trouble = null;
  /** Whether the page runs on what it kept. */
  fromCache = false;
  /** A reason for which nothing can be shown: `signedOut`, `forbidden` or null. */
  barrier = null;
  /** Operations that wait for a decision, by key. */
  conflicts = new Map();
  /** Keys of operations that are being sent. */
  busy = new Set();
  notices = [];

  get operations() {
    return this.queue?.operations ?? [];
  }

  todos(list) {
    return applyToTodos(this.#todos.values(), this.operations, list);
  }

  lists() {
    return applyToLists(this.#lists.values(), this.operations);
  }

  confirmedTodos(list) {
    return [...this.#todos.values()].filter((entry) => entry.list === list).map(({ todo }) => todo);
  }

  confirmedLists() {
    return [...this.#lists.values()];
  }

  /** Whether the todos of a list are known; those of a new list are none. */
  isLoaded(list) {
    return this.#loaded.has(list) || typeof list === 'string';
  }

  /** Any todo, as the person sees it. */
  find(id) {
    const target = this.resolve(id);
    for (const list of this.#listsOf(target)) {
      const todo = this.todos(list).find((todo) => todo.id === target);
      if (todo) return { ...todo, list };
    }
    return null;
  }

  *#listsOf(target) {
    const entry = this.#todos.get(target);
    if (entry) yield entry.list;
    for (const operation of this.operations) if (operation.target === target) yield operation.list;
  }

  /** As the service has it. */
  entry(id) {
    return this.#todos.get(id);
  }

  confirmedList(id) {
    return this.#lists.get(id);
  }

  listEtag(id) {
    return this.#listEtags.get(id) ?? null;
  }

  /** The number of what had none when the person saw it. */
  resolve(id) {
    return this.#aliases.get(id) ?? id;
  }

  /** The same for a todo before and after it has its number, so that its element stays. */
  keyOf(id) {
    return this.#keys.get(id) ?? String(id);
  }

  alias(from, to) {
    this.#aliases.set(from, to);
    this.#keys.set(to, from);
  }

  /** A moment to compare with, before todos are asked for. */
  now() {
    return this.#clock;
  }

  putTodo(todo, list, etag) {
    const known = this.#todos.get(todo.id);
    if (this.#deleted.has(todo.id) || (known && known.todo.updatedAt > todo.updatedAt)) return;
    this.#todos.set(todo.id, { todo, list, etag });
    this.#touch(todo.id);
  }

  removeTodo(id) {
    this.#deleted.add(id);
    this.#todos.delete(id);
    this.#touch(id);
  }

  /** It is in a list that is not loaded. */
  dropTodo(id) {
    this.#todos.delete(id);
    this.#touch(id);
  }

  /** All todos of a list as they were asked for at `since`; with `partial`, those of one page. */
  putTodos(list, todos, since, { partial = false } = {}) {
    const unchanged = (id) => (this.#touched.get(id) ?? 0) <= since;
    for (const todo of todos.filter((todo) => unchanged(todo.id))) {
      const known = this.#todos.get(todo.id);
      const etag = known?.todo.updatedAt === todo.updatedAt ? known.etag : null;
      this.#todos.set(todo.id, { todo, list, etag });
    }
    if (!partial) {
      const listed = new Set(todos.map((todo) => todo.id));
      for (const [id, entry] of this.#todos) {
        if (entry.list === list && !listed.has(id) && unchanged(id)) this.#todos.delete(id);
      }
    }
    this.#loaded.add(list);
    this.changed();
  }

  putList(list, etag = null) {
    this.#lists.set(list.id, list);
    this.#listEtags.set(list.id, etag);
    this.changed();
  }

  removeList(id) {
    this.#lists.delete(id);
    this.forget(id);
  }

  putLists(lists) {
    this.#lists = new Map(lists.map((list) => [list.id, list]));
    this.#listEtags.clear();
    this.changed();
  }

  /** The todos of a list must be loaded again before they are shown. */
  forget(list) {
    this.#loaded.delete(list);
    for (const [id, entry] of this.#todos) if (entry.list === list) this.#todos.delete(id);
    this.changed();
  }

  /** Everything of a person who logs out. */
  reset() {
    for (const known of [this.#todos, this.#lists, this.#listEtags, this.#loaded, this.#touched])
      known.clear();
    for (const open of [this.conflicts, this.busy]) open.clear();
    this.notices = [];
    this.changed();
  }

  loadedLists() {
    return [...this.#loaded];
  }

  set(fields) {
    Object.assign(this, fields);
    this.changed();
  }

  /** Tells the views, once for all changes of a moment. */
  changed() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.dispatchEvent(new Event('change'));
    });
  }

  #touch(id) {
    this.#clock += 1;
    this.#touched.set(id, this.#clock);
    this.changed();
  }
}
