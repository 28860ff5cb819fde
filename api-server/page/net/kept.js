// The todos as this browser last saw them, for a page that is opened without a network. Only those of
// services without a login: what belongs to somebody is not left behind in a browser.

/** Enough to work with, and far from what a storage holds. */
const MOST = 500;
const WAIT_MS = 500;

export class Kept {
  #store;
  #storage;
  #prefix;
  #timer = null;

  constructor(store, storage, prefix) {
    this.#store = store;
    this.#storage = storage;
    this.#prefix = `${prefix}/kept`;
  }

  /** Keeps a list a moment after its last change. */
  keepLater(list, isAllowed) {
    if (this.#timer || !isAllowed || !this.#store.isLoaded(list) || this.#store.fromCache) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const todos = this.#store.confirmedTodos(list).slice(0, MOST);
      this.#try(() => this.#storage.setItem(`${this.#prefix}/${list}`, JSON.stringify(todos)));
      this.#try(() =>
        this.#storage.setItem(`${this.#prefix}/lists`, JSON.stringify(this.#store.confirmedLists())),
      );
    }, WAIT_MS);
  }

  /** Shows what was kept, unless the service has said what there is. */
  restore(list) {
    if (this.#store.isLoaded(list)) return;
    const todos = this.#try(() => JSON.parse(this.#storage.getItem(`${this.#prefix}/${list}`)));
    const lists = this.#try(() => JSON.parse(this.#storage.getItem(`${this.#prefix}/lists`)));
    if (!Array.isArray(todos) || !Array.isArray(lists)) return;
    this.#store.putLists(lists);
    this.#store.putTodos(list, todos, this.#store.now());
    this.#store.set({ fromCache: true });
  }

  /** A full or forbidden storage keeps nothing, and nothing else depends on it. */
  #try(use) {
    try {
      return use();
    } catch {
      return null;
    }
  }
}
