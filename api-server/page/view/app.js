// The page as a whole: puts what the store knows into its parts, and leads from the parts to the actions.

import { formatRoute, isFound, isInFilter, isNarrowed, localDate, parseRoute } from '../model/route.js';
import { around, t } from '../model/words.js';
import { Ask } from './ask.js';
import { setAttribute, setText } from './make.js';

const EVERYTHING = { text: '', tag: '', priority: '', due: '' };
/** How long after a change the state of its saving is looked at again. */
const LOOK_AGAIN_MS = 800;

export class TodoApp extends HTMLElement {
  ask = new Ask();
  #notice = 0;
  #lookAgain = null;

  /** @param {{store: object, actions: object, live: object, sync: object, access: object}} parts */
  start(parts) {
    Object.assign(this, parts);
    const find = (selector) => this.querySelector(selector);
    this.newTodo = find('.new-todo');
    this.main = find('.main');
    this.footer = find('.footer');
    this.toggleAll = find('.toggle-all');
    this.clear = find('.clear-completed');
    this.count = find('.todo-count');
    this.parts = Object.fromEntries(
      ['items', 'lists', 'search', 'details', 'conflict', 'status', 'access'].map((name) => [
        name,
        find(`todo-${name}`),
      ]),
    );
    for (const part of Object.values(this.parts)) part.start(this);
    this.#listen();
    this.#routeChanged();
    this.store.addEventListener('change', () => this.render());
    this.render();
  }

  #listen() {
    addEventListener('hashchange', () => this.#routeChanged());
    this.querySelector('.new').addEventListener('submit', (event) => {
      event.preventDefault();
      this.actions.create(this.route.list, this.newTodo.value);
      this.newTodo.value = '';
    });
    this.toggleAll.addEventListener('change', () => {
      this.actions.complete(this.route.list, this.#found(), this.toggleAll.checked);
    });
    this.clear.addEventListener('click', () => {
      this.actions.clearCompleted(this.route.list, this.route);
      this.newTodo.focus();
    });
    document.addEventListener('keydown', (event) => {
      const isUndo = event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey;
      if (!isUndo || !this.actions.canUndo || event.target.matches('input:not(.toggle), select, dialog *'))
        return;
      event.preventDefault();
      this.undo();
    });
    this.actions.onDeleted = (deletion) => this.#deleted(deletion);
    this.sync.onRejected = (operation, problem) => this.#rejected(operation, problem);
    this.sync.onConflict = (conflict) => this.#conflicted(conflict);
    this.live.onListGone = () => this.go({ ...EVERYTHING, list: null });
  }

  /** Shows something else: the fields that are given, and else what is shown now. */
  go(fields, { replace = false } = {}) {
    const hash = formatRoute({ ...this.route, ...fields });
    if (!replace) {
      location.hash = hash;
      return;
    }
    history.replaceState(null, '', hash);
    this.#routeChanged();
  }

  #routeChanged() {
    this.route = parseRoute(location.hash);
    this.live.show(this.route.list);
    if (this.isConnected && this.parts) this.render();
  }

  /** The todos that the search leaves. */
  #found() {
    const today = localDate(new Date());
    return this.store.todos(this.route.list).filter((todo) => isFound(todo, this.route, today));
  }

  render() {
    const { store, route } = this;
    // A new list has its number now.
    const list = store.resolve(route.list);
    if (list !== route.list) this.go({ list }, { replace: true });
    const today = localDate(new Date());
    const todos = store.todos(this.route.list);
    const found = todos.filter((todo) => isFound(todo, this.route, today));
    const shown = found.filter((todo) => isInFilter(todo, this.route.filter));
    const lists = store.lists();
    const view = {
      todos,
      found,
      shown,
      lists,
      route: this.route,
      today,
      offline: store.connection === 'offline',
    };
    const isOpen = !store.barrier;
    for (const name of ['items', 'lists', 'search']) this.parts[name].render(view);
    this.parts.status.render(store);
    this.parts.access.render(store);
    for (const selector of ['.new', '.content', '.lists']) this.querySelector(selector).hidden = !isOpen;
    this.#renderCounts(view);
    this.#renderHeading(lists);
    this.#later();
  }

  #renderCounts({ todos, found, shown }) {
    const isEmpty = todos.length === 0;
    const left = todos.filter((todo) => !todo.completed).length;
    // Hiding the title that is being edited would take the focus from it, and end the editing.
    this.main.hidden = isEmpty && !this.parts.items.isEditing;
    this.footer.hidden = isEmpty;
    this.toggleAll.checked = found.length > 0 && found.every((todo) => todo.completed);
    this.toggleAll.disabled = found.length === 0;
    this.clear.hidden = !found.some((todo) => todo.completed);
    this.querySelector('.nothing').hidden = isEmpty || shown.length > 0 || !isNarrowed(this.route);
    this.querySelector('.loading').hidden =
      this.store.isLoaded(this.route.list) || this.store.connection === 'offline';
    const [before, after] = around('itemsLeft', left);
    setText(this.count.querySelector('strong'), left.toLocaleString(document.documentElement.lang));
    setText(this.count.firstElementChild, before);
    setText(this.count.lastElementChild, after);
    for (const link of this.querySelectorAll('.filters a')) {
      const { filter } = link.dataset;
      setAttribute(link, 'href', formatRoute({ ...this.route, filter }));
      link.classList.toggle('selected', filter === this.route.filter);
      setAttribute(link, 'aria-current', filter === this.route.filter ? 'true' : null);
    }
  }

  #renderHeading(lists) {
    const name = lists.find(({ id }) => id === this.route.list)?.name;
    setText(this.querySelector('h1'), name ?? t('todos'));
    const title = name ? `${name} · ${t('defaultList')}` : t('defaultList');
    if (document.title !== title) document.title = title;
  }

  /** Looks again when a change should have been saved. */
  #later() {
    if (this.#lookAgain || this.store.operations.length === 0) return;
    this.#lookAgain = setTimeout(() => {
      this.#lookAgain = null;
      this.render();
    }, LOOK_AGAIN_MS);
  }

  /** Says something to those who do not see it. */
  announce(text) {
    setText(this.querySelector('.announcer'), text);
  }

  conflictOf(id) {
    return [...this.store.conflicts.values()].find(({ operation }) => operation.target === id) ?? null;
  }

  showConflict(id) {
    const conflict = this.conflictOf(id);
    if (conflict) this.parts.conflict.open(conflict);
  }

  showDetails(todo) {
    const { list } = this.route;
    const place = (by) => {
      const shown = this.#found().filter((one) => isInFilter(one, this.route.filter));
      const from = shown.findIndex((one) => one.id === this.store.resolve(todo.id));
      const to = Math.min(Math.max(from + by, 0), shown.length - 1);
      if (from >= 0) this.parts.items.place(shown[from], to);
    };
    this.parts.details.open({ todo, list, lists: this.store.lists(), place });
  }

  notify(kind, text, actions = []) {
    this.#notice += 1;
    // One deletion can be undone: the last.
    const others = this.store.notices.filter((notice) => notice.kind !== kind || kind !== 'deletion');
    this.store.set({ notices: [...others, { id: this.#notice, kind, text, actions }] });
  }

  dismiss(id) {
    this.store.set({ notices: this.store.notices.filter((notice) => notice.id !== id) });
  }

  undo() {
    const list = this.actions.undo();
    this.store.set({ notices: this.store.notices.filter(({ kind }) => kind !== 'deletion') });
    this.announce(t('undone'));
    if (list !== this.route.list) this.go({ ...EVERYTHING, list });
    this.newTodo.focus();
  }

  #deleted({ todos, list }) {
    if (todos.length === 0 && !list) return;
    const text = list ? t('deletedList', { name: list.name }) : t('deleted', { n: todos.length });
    this.notify('deletion', text, [{ word: 'undo', act: () => this.undo() }]);
  }

  /** The todo has a button too, unless it is in another list, or deleted. */
  #conflicted(conflict) {
    const { base, patch } = conflict.operation;
    const text = `${t('conflict')}: ${patch?.title ?? base.title}`;
    const act = () => this.store.conflicts.has(conflict.operation.key) && this.parts.conflict.open(conflict);
    this.notify('conflict', text, [{ word: 'resolve', act }]);
  }

  #rejected({ kind, body, base, patch }, problem) {
    const isList = kind.endsWith('-list');
    const title = { ...base, ...body, ...patch };
    let why = [problem.message, ...problem.errors.map(({ pointer, detail }) => `${pointer} ${detail}`)].join(
      ' ',
    );
    if (problem.status === 403) why = t('failedPermission');
    if (problem.status === 405) why = t('failedUnsupported');
    this.notify(
      'error',
      t(isList ? 'failedList' : 'failed', { title: title.name ?? title.title ?? '', why }),
    );
  }
}
