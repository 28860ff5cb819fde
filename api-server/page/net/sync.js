// Sends operations to the service, and settles what it answers. What an operation looks like to the person is
// decided in `operations`.

import { changedSince, clashes } from '../model/merge.js';
import { sendable, withDependents } from '../model/operations.js';
import { Problem, todoPath, todosPath, Unreachable } from './api.js';

/** Browsers open six connections to a host, and the stream has one of them. */
const AT_ONCE = 4;
/** After so many answers 412 in a row somebody changes the todo faster than this page can. */
const ATTEMPTS = 5;
const PAUSES_MS = [1000, 2000, 4000, 8000, 15_000, 30_000];

/** A person must decide. `current` is null when the todo was deleted elsewhere. */
class Conflict extends Error {
  constructor(current) {
    super();
    this.current = current;
  }
}

export class Sync {
  #api;
  #store;
  #failures = 0;
  #timer = null;

  /** Called with an operation that the service rejected, and the problem. */
  onRejected = () => {};
  /** Called when the service does not answer. */
  onUnreachable = () => {};
  onSignedOut = () => {};
  /** Called with what a person must decide. */
  onConflict = () => {};

  constructor(api, store) {
    this.#api = api;
    this.#store = store;
  }

  /** Sends what can be sent. */
  run() {
    const { operations, busy, conflicts, connection, barrier } = this.#store;
    if (barrier || connection === 'offline' || this.#timer) return;
    const ready = sendable(operations, busy, conflicts);
    for (const operation of ready.slice(0, Math.max(AT_ONCE - busy.size, 0))) this.#send(operation);
  }

  /** Tries again at once: the network is back. */
  wake() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.run();
  }

  async #send(operation) {
    this.#store.busy.add(operation.key);
    try {
      await this[SENDERS[operation.kind]](operation);
      this.#failures = 0;
      this.#store.trouble = null;
      this.#store.queue.remove(operation.key);
    } catch (error) {
      this.#failed(operation, error);
    }
    this.#store.busy.delete(operation.key);
    this.#store.changed();
    this.run();
  }

  #failed(operation, error) {
    if (error instanceof Conflict) {
      const conflict = { operation, current: error.current };
      this.#store.conflicts.set(operation.key, conflict);
      this.onConflict(conflict);
    } else if (error instanceof Unreachable) {
      this.onUnreachable();
      this.#pause(null);
    } else if (error instanceof Problem && error.status === 401) {
      this.onSignedOut();
    } else if (error instanceof Problem && error.isPassing) {
      this.#store.trouble = error;
      this.#pause(error.retryAfter);
    } else {
      this.drop(operation);
      this.onRejected(operation, error);
    }
  }

  /** Gives up an operation, and those that need it. */
  drop(operation) {
    for (const { key } of withDependents(this.#store.operations, operation)) {
      this.#store.queue.remove(key);
      this.#store.conflicts.delete(key);
    }
    this.#store.changed();
  }

  #pause(retryAfter) {
    const pause = PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length - 1)];
    this.#failures += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), retryAfter ?? pause);
  }

  async _create({ key, list, target, body }) {
    const headers = { 'idempotency-key': key };
    const { data, etag } = await this.#api.send('POST', todosPath(list), { body, headers });
    this.#store.alias(target, data.id);
    this.#store.queue.rename(target, data.id);
    this.#store.putTodo(data, list, etag);
  }

  async _update(operation) {
    const { target, list, patch, base } = operation;
    // A state has two values: whoever else changed it, changed it to the same.
    const isState = Object.keys(patch).every((field) => field === 'completed');
    await this.#guarded(operation, isState, async (current, headers) => {
      if (clashes(patch, base, current.todo).length > 0) throw new Conflict(current.todo);
      const sent = await this.#api.send('PATCH', todoPath(list, target), { body: patch, headers });
      this.#store.putTodo(sent.data, list, sent.etag);
    });
  }

  async _delete(operation) {
    const { target, list, base } = operation;
    try {
      await this.#guarded(operation, this.#store.connection === 'live', async (current, headers) => {
        if (changedSince(base, current.todo).length > 0) throw new Conflict(current.todo);
        await this.#api.send('DELETE', todoPath(list, target), { headers });
      });
    } catch (error) {
      // Somebody else has deleted it.
      if (!(error instanceof Conflict && error.current === null)) throw error;
    }
    this.#store.removeTodo(target);
  }

  /**
   * Calls `change` with the todo as the service has it, and with the headers that protect changes of others;
   * again when it was changed in between.
   */
  async #guarded({ target, list, offline }, isSafe, change) {
    let current = this.#store.entry(target);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      try {
        const unguarded = isSafe && !offline && current;
        if (!current?.etag && !unguarded) current = await this.#get(list, target);
        return await change(current, current.etag ? { 'if-match': current.etag } : {});
      } catch (error) {
        if (error instanceof Problem && error.status === 404) {
          this.#store.removeTodo(target);
          throw new Conflict(null);
        }
        if (!(error instanceof Problem && error.status === 412)) throw error;
        current = null;
      }
    }
    throw new Problem(503, {}, PAUSES_MS[0]);
  }

  async #get(list, target) {
    const { data, etag } = await this.#api.send('GET', todoPath(list, target));
    this.#store.putTodo(data, list, etag);
    return { todo: data, etag };
  }

  async _createList(operation) {
    const { target, body, known, tried } = operation;
    this.#store.queue.replace({ ...operation, tried: true });
    // The service has no Idempotency-Key for lists: if an answer was lost, the list is there under its name.
    const lists = tried ? (await this.#api.send('GET', 'lists')).data : [];
    const own = lists.find((list) => list.name === body.name && !known.includes(list.id));
    const data = own ?? (await this.#api.send('POST', 'lists', { body })).data;
    this.#store.alias(target, data.id);
    this.#store.queue.rename(target, data.id);
    this.#store.putList(data);
  }

  async _renameList({ target, body }) {
    const { data, etag } = await this.#api.send('PATCH', `lists/${target}`, { body });
    this.#store.putList(data ?? { ...this.#store.confirmedList(target), ...body }, etag);
  }

  async _deleteList({ target }) {
    try {
      await this.#api.send('DELETE', `lists/${target}`);
    } catch (error) {
      if (!(error instanceof Problem && error.status === 404)) throw error;
    }
    this.#store.removeList(target);
  }
}

const SENDERS = {
  create: '_create',
  update: '_update',
  delete: '_delete',
  'create-list': '_createList',
  'rename-list': '_renameList',
  'delete-list': '_deleteList',
};
