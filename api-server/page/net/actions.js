// What a person can do. Each action adds operations to the queue, which the page shows at once and sends when
// it can.

import { changes, pick } from '../model/merge.js';
import { moveTo, orderAtEnd, position } from '../model/order.js';
import { isFound, isInFilter, localDate } from '../model/route.js';

/** The fields that a new todo can have: what a person sees of a todo, and its place. */
const FIELDS = ['title', 'completed', 'order', 'dueDate', 'tags', 'priority'];

/** Also where `crypto.randomUUID` is missing: on pages without TLS. */
export function random() {
  return [...crypto.getRandomValues(new Uint8Array(12))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

export class Actions {
  #store;
  #sync;
  /** What was deleted last: todos, each with its operation, and perhaps their list. */
  #deletion = null;

  /** Called with the number of todos that were deleted, and the list. */
  onDeleted = () => {};

  constructor(store, sync) {
    this.#store = store;
    this.#sync = sync;
  }

  #add(operation) {
    const offline = this.#store.connection === 'offline' ? { offline: true } : {};
    const added = this.#store.queue.add({ ...operation, ...offline }, Date.now(), random());
    this.#store.changed();
    this.#sync.run();
    return added;
  }

  create(list, title) {
    const trimmed = title.trim();
    if (!trimmed) return;
    const order = orderAtEnd(this.#store.todos(list), Date.now());
    const body = order === undefined ? { title: trimmed } : { title: trimmed, order };
    this.#add({ kind: 'create', list, target: `n-${random()}`, body });
  }

  /** Changes fields of a todo. `base` is what the person saw when the change began. */
  update(list, base, patch) {
    const changed = changes(base, patch);
    if (Object.keys(changed).length === 0) return;
    const target = this.#store.resolve(base.id);
    this.#add({ kind: 'update', list, target, patch: changed, base: pick(base, FIELDS) });
  }

  /** The title as it was typed; without a text the todo is deleted. */
  rename(list, base, title) {
    if (title.trim()) this.update(list, base, { title: title.trim() });
    else this.delete(list, [base]);
  }

  complete(list, todos, completed) {
    for (const todo of todos) this.update(list, todo, { completed });
  }

  delete(list, todos) {
    const deleted = todos.map((todo) => {
      const target = this.#store.resolve(todo.id);
      return { todo, operation: this.#add({ kind: 'delete', list, target, base: pick(todo, FIELDS) }) };
    });
    this.#deletion = { list, deleted, ofList: null };
    this.onDeleted({ todos, list: null });
  }

  clearCompleted(list, route) {
    const today = localDate(new Date());
    const found = this.#store.todos(list).filter((todo) => isFound(todo, route, today));
    this.delete(
      list,
      found.filter((todo) => isInFilter(todo, 'completed')),
    );
  }

  /** Puts a todo at an index of the todos that are shown. */
  move(list, shown, id, index) {
    for (const change of moveTo(shown, id, index)) {
      const todo = shown.find((todo) => todo.id === change.id);
      this.update(list, todo, { order: change.order });
    }
  }

  /**
   * The service numbers todos anew in another list, so that one is created there before this one is deleted.
   */
  moveToList(list, todo, target) {
    const created = this.#add({
      kind: 'create',
      list: target,
      target: `n-${random()}`,
      body: this.#body(todo),
    });
    const old = this.#store.resolve(todo.id);
    this.#add({ kind: 'delete', list, target: old, base: pick(todo, FIELDS), after: created.key });
  }

  createList(name) {
    const target = `L-${random()}`;
    const known = this.#store.lists().map((list) => list.id);
    this.#add({ kind: 'create-list', target, body: { name: name.trim() }, known });
    return target;
  }

  renameList({ id, name: before }, name) {
    if (name.trim() && name.trim() !== before) {
      this.#add({ kind: 'rename-list', target: this.#store.resolve(id), body: { name: name.trim() } });
    }
  }

  /** Its todos must be loaded, so that they can be created again. */
  deleteList(list) {
    const todos = this.#store.todos(list.id);
    const operation = this.#add({ kind: 'delete-list', target: this.#store.resolve(list.id) });
    const deleted = todos.map((todo) => ({ todo, operation: null }));
    this.#deletion = { list: list.id, deleted, ofList: { name: list.name, operation } };
    this.onDeleted({ todos, list });
  }

  get canUndo() {
    return this.#deletion !== null;
  }

  /** Brings back what was deleted last. Returns the list that it is in. */
  undo() {
    if (!this.#deletion) return null;
    const { list, deleted, ofList } = this.#deletion;
    this.#deletion = null;
    const back = ofList && !this.#takeBack(ofList.operation) ? this.createList(ofList.name) : list;
    const inOldList = back === list;
    for (const { todo, operation } of deleted) {
      // A list that was not deleted yet still has its todos.
      if (ofList && inOldList) continue;
      if (operation && this.#takeBack(operation)) continue;
      this.#add({ kind: 'create', list: back, target: `n-${random()}`, body: this.#body(todo) });
    }
    return back;
  }

  /** Removes an operation that was not sent yet. */
  #takeBack({ key }) {
    const waits =
      this.#store.operations.some((operation) => operation.key === key) && !this.#store.busy.has(key);
    if (waits) {
      this.#store.queue.remove(key);
      this.#store.conflicts.delete(key);
      this.#store.changed();
    }
    return waits;
  }

  /** A todo to be created like this one, at the same place. */
  #body(todo) {
    return { ...pick(todo, FIELDS), order: position(todo) };
  }

  /** Ends a conflict: the own version is sent, or given up. */
  resolve({ operation, current }, keepMine) {
    const { conflicts, queue } = this.#store;
    conflicts.delete(operation.key);
    if (!keepMine) {
      this.#sync.drop(operation);
    } else if (current === null) {
      // It was deleted elsewhere: the own version becomes a new todo.
      const { list, base, patch } = operation;
      queue.remove(operation.key);
      this.#add({ kind: 'create', list, target: `n-${random()}`, body: { ...base, ...patch } });
    } else {
      queue.replace({ ...operation, base: pick(current, FIELDS) });
    }
    this.#store.changed();
    this.#sync.run();
  }
}
