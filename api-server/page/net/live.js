// Keeps what the page knows up to date: loads it, follows the stream of changes, and polls where there is
// none.

import { EventParser } from '../model/events.js';
import { Problem, todosPath, Unreachable } from './api.js';

const PAGE_SIZE = 500;
const POLL_EVERY_MS = 5000;
/** How often a service without a stream is asked for one again: it may have been upgraded. */
const STREAM_AGAIN_MS = 300_000;
/** The service sends a line every 15 s: without any, the connection is dead. */
const SILENCE_MS = 45_000;
/** A browser has six connections to a host without TLS, for all tabs: a hidden one gives its own back. */
const HIDDEN_MS = 20_000;
const PAUSES_MS = [1000, 2000, 5000, 10_000, 30_000];
const NO_STREAM = [404, 405, 406, 410, 501];

export class Live {
  #api;
  #store;
  #list = null;
  #lastId = null;
  #retry = PAUSES_MS[0];
  #failures = 0;
  #stream = null;
  #resume = null;
  #woken = false;
  #held = [];
  #hiddenTimer = null;

  onSignedOut = () => {};
  onListGone = () => {};
  /** Called when the service answers, perhaps again. */
  onConnected = () => {};
  /** Called when the service does not answer. */
  onUnreachable = () => {};

  constructor(api, store) {
    this.#api = api;
    this.#store = store;
  }

  start() {
    document.addEventListener('visibilitychange', () => this.#visibilityChanged());
    addEventListener('online', () => this.wake());
    addEventListener('offline', () => this.unreachable());
    this.#follow();
  }

  /** Shows a list, and loads it unless it is up to date by the stream. */
  async show(list) {
    this.#list = list;
    if (typeof list === 'string' || (this.#store.isLoaded(list) && this.#store.connection === 'live')) return;
    await this.#attempt(() => this.#loadTodos(list));
  }

  async loadLists() {
    await this.#attempt(async () => {
      const lists = [];
      for (let query = 'limit=1000'; query;) {
        const { data, next } = await this.#api.send('GET', `lists?${query}`);
        lists.push(...data);
        query = next;
      }
      this.#store.putLists(lists);
    });
  }

  /** Starts again, perhaps as another user. */
  restart() {
    this.#lastId = null;
    this.#stream?.abort();
    this.#reload();
    this.wake();
  }

  /** Tries again at once. */
  wake() {
    if (this.#resume) this.#resume();
    else this.#woken = true;
  }

  unreachable() {
    this.#stream?.abort();
    this.#store.set({ connection: 'offline' });
    this.onUnreachable();
  }

  async #reload() {
    const others = this.#store.loadedLists().filter((list) => list !== this.#list);
    for (const list of others) this.#store.forget(list);
    const current = typeof this.#list === 'string' ? [] : [this.#attempt(() => this.#loadTodos(this.#list))];
    await Promise.all([...current, this.loadLists()]);
  }

  async #loadTodos(list) {
    const since = this.#store.now();
    const todos = [];
    for (let query = `limit=${PAGE_SIZE}`; query;) {
      const { data, next } = await this.#api.send('GET', `${todosPath(list)}?${query}`);
      todos.push(...data);
      query = next;
      // The first page is shown before the others are there.
      this.#store.putTodos(list, query ? data : todos, since, { partial: Boolean(query) });
    }
    this.#store.set({ fromCache: false });
  }

  async #attempt(load) {
    try {
      await load();
      this.#store.set({ trouble: null });
      this.onConnected();
    } catch (error) {
      if (error instanceof Unreachable) this.unreachable();
      else if (!(error instanceof Problem)) throw error;
      else if (error.status === 401) this.onSignedOut(error);
      else if (error.slug === 'list-not-found') this.onListGone(this.#list);
      else this.#store.set(error.status === 403 ? { barrier: 'forbidden' } : { trouble: error });
    }
  }

  async #follow() {
    for (;;) {
      while (document.hidden || this.#store.barrier) await this.#pause(STREAM_AGAIN_MS);
      try {
        await this.#read();
        // Not all pages at once, when a replica stops.
        await this.#pause(this.#retry * (1 + Math.random()));
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  async #recover(error) {
    if (error instanceof Problem && NO_STREAM.includes(error.status)) {
      await this.#poll();
      return;
    }
    const pause = PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length - 1)];
    this.#failures += 1;
    if (error instanceof Problem && error.status === 401) this.onSignedOut(error);
    else if (error instanceof Problem) this.#store.set({ trouble: error });
    else this.unreachable();
    await this.#pause(error.retryAfter ?? pause);
  }

  /** Reads the stream until it ends. */
  async #read() {
    const abort = new AbortController();
    this.#stream = abort;
    const position = this.#lastId === null ? {} : { 'last-event-id': this.#lastId };
    const headers = { accept: 'text/event-stream', ...position };
    const response = await this.#api.open('todos/events', {
      headers,
      signal: abort.signal,
      cache: 'no-store',
    });
    if (!/^text\/event-stream\b/.test(response.headers.get('content-type') ?? '')) {
      abort.abort();
      throw new Problem(404);
    }
    this.#failures = 0;
    this.#store.set({ connection: 'live', trouble: null });
    this.onConnected();
    // What happened before a new stream began is in no event of it.
    if (this.#lastId === null) this.#reload();
    await this.#readBlocks(response.body, abort);
  }

  async #readBlocks(body, abort) {
    const parser = new EventParser();
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
      // A stream that breaks has ended too: whether the service can be reached shows when the next is opened.
      const { value, done } = await reader.read().catch(() => ({ done: true }));
      clearTimeout(watchdog);
      if (done) return;
      for (const block of parser.push(value)) this.#take(block);
    }
  }

  #take({ event, data, id, retry }) {
    if (retry !== undefined) this.#retry = retry;
    if (data !== null) {
      try {
        this.#apply(event, JSON.parse(data));
      } catch (error) {
        // Not what this page knows, as from another version: asking for it again would bring the same.
        console.warn(error);
        this.#reload();
      }
    }
    if (id !== undefined) this.#lastId = id;
  }

  #apply(event, data) {
    const store = this.#store;
    // The answer to a POST, which says which of the new todos is one's own, may come after the event.
    if (event === 'todo' && this.#isMaybeOwn(data.todo.id)) this.#held.push(data);
    else if (event === 'todo') this.#put(data);
    else if (event === 'todo-deleted') store.removeTodo(Number(data.id));
    else if (event === 'list') store.putList(data.list, data.etag ?? null);
    else if (event === 'list-deleted') this.#listDeleted(Number(data.id));
    else if (event === 'reset') this.#reload();
  }

  #isMaybeOwn(id) {
    const creates = this.#store.operations.some(
      ({ kind, key }) => kind === 'create' && this.#store.busy.has(key),
    );
    return creates && !this.#store.entry(id);
  }

  /** Takes the events that waited for answers. */
  settle() {
    const held = this.#held.filter((data) => !this.#isMaybeOwn(data.todo.id));
    this.#held = this.#held.filter((data) => this.#isMaybeOwn(data.todo.id));
    for (const data of held) this.#put(data);
  }

  #put({ todo, list, etag }) {
    const number = Number(list) || null;
    if (this.#store.isLoaded(number)) this.#store.putTodo(todo, number, etag ?? null);
    // It was moved into a list that was not loaded yet.
    else if (this.#store.entry(todo.id)) this.#store.dropTodo(todo.id);
  }

  #listDeleted(id) {
    this.#store.removeList(id);
    if (id === this.#list) this.onListGone(id);
  }

  async #poll() {
    this.#failures = 0;
    this.#store.set({ connection: 'polling' });
    const until = Date.now() + STREAM_AGAIN_MS;
    while (Date.now() < until && this.#store.connection === 'polling' && !this.#store.barrier) {
      if (!document.hidden) await this.#reload();
      await this.#pause(POLL_EVERY_MS);
    }
  }

  async #pause(milliseconds) {
    if (!this.#woken) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        this.#resume = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    [this.#resume, this.#woken] = [null, false];
  }

  #visibilityChanged() {
    clearTimeout(this.#hiddenTimer);
    if (document.hidden) this.#hiddenTimer = setTimeout(() => this.#stream?.abort(), HIDDEN_MS);
    else this.wake();
  }
}
