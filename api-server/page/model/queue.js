// The operations of this browser, kept until the service has confirmed them. One entry of the storage each,
// so that two tabs cannot overwrite each other's. Never holds a token.

import { renamed } from './operations.js';

export class Queue {
  #storage;
  #prefix;
  #operations = new Map();
  #last = 0;

  /** Whether a reload keeps the operations: a full or forbidden storage does not. */
  durable = true;

  /**
   * @param {Storage | null} storage
   * @param {string} prefix of the keys: the service, and the person who is logged in
   */
  constructor(storage, prefix) {
    this.#storage = storage;
    this.#prefix = `${prefix}/op/`;
    this.read();
  }

  /** All operations, oldest first. */
  get operations() {
    return [...this.#operations.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Reads what other tabs have written. */
  read() {
    const kept = new Map();
    try {
      for (let index = 0; index < (this.#storage?.length ?? 0); index += 1) {
        const name = this.#storage.key(index);
        if (!name.startsWith(this.#prefix)) continue;
        const operation = parse(this.#storage.getItem(name));
        if (operation) kept.set(operation.key, operation);
      }
    } catch {
      this.durable = false;
    }
    // Without a storage, the memory is all there is.
    if (this.durable && this.#storage) this.#operations = kept;
    return this;
  }

  /** Adds an operation, and returns it with its key. `at` is the time in milliseconds. */
  add(operation, at, random) {
    // Two of the same millisecond keep their order.
    this.#last = Math.max(this.#last + 1, at * 1000);
    const added = { ...operation, at, key: `${String(this.#last).padStart(17, '0')}-${random}` };
    this.#write(added);
    return added;
  }

  replace(operation) {
    if (this.#operations.has(operation.key)) this.#write(operation);
  }

  remove(key) {
    this.#operations.delete(key);
    this.#try(() => this.#storage?.removeItem(this.#prefix + key));
  }

  /** Gives the operations on a new todo or list its number. */
  rename(from, to) {
    for (const operation of this.#operations.values()) {
      const changed = renamed(operation, from, to);
      if (changed !== operation) this.#write(changed);
    }
  }

  clear() {
    for (const { key } of this.operations) this.remove(key);
  }

  owns(name) {
    return name === null || name.startsWith(this.#prefix);
  }

  #write(operation) {
    this.#operations.set(operation.key, operation);
    this.#try(() => this.#storage?.setItem(this.#prefix + operation.key, JSON.stringify(operation)));
  }

  #try(write) {
    try {
      write();
    } catch {
      this.durable = false;
    }
  }
}

/** `null` for what another version has written. */
function parse(text) {
  try {
    const operation = JSON.parse(text);
    return typeof operation.key === 'string' && typeof operation.kind === 'string' ? operation : null;
  } catch {
    return null;
  }
}
