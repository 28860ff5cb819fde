// The list of todos: one element for each, kept while the todo exists, so that focus and editing stay.

import { t } from '../model/words.js';
import { startDragging } from './drag.js';
import { createItem, endEditing, startEditing, updateItem } from './item.js';
import { make, setText } from './make.js';

/** More at once would make a browser slow; the rest is one button away. */
const SHOWN_AT_ONCE = 200;

export class TodoItems extends HTMLElement {
  #app;
  #view = null;
  #limit = SHOWN_AT_ONCE;
  /** The todo whose title is edited, as it was when the editing began. */
  #edited = null;
  #dragged = false;

  start(app) {
    this.#app = app;
    this.list = this.querySelector('.todo-list');
    this.more = this.appendChild(make('button', { class: 'more', type: 'button', hidden: true }));
    this.more.addEventListener('click', () => this.#showMore());
    this.list.addEventListener('change', (event) => this.#toggled(event.target));
    this.list.addEventListener('click', (event) => this.#clicked(event.target));
    this.list.addEventListener('dblclick', (event) => {
      if (event.target.matches('label')) this.#edit(event.target.closest('.todo'));
    });
    this.list.addEventListener('keydown', (event) => this.#pressed(event));
    this.list.addEventListener('pointerdown', (event) => this.#grabbed(event));
  }

  get isEditing() {
    return this.#edited !== null;
  }

  /** @param {{shown: object[], route: object, today: string, offline: boolean}} view */
  render(view) {
    const isOther = this.#view && this.#view.route.list !== view.route.list;
    if (isOther) this.#limit = SHOWN_AT_ONCE;
    this.#view = view;
    const todos = view.shown.slice(0, this.#limit);
    this.#reconcile(todos);
    const left = view.shown.length - todos.length;
    this.more.hidden = left === 0;
    setText(this.more, t('more', { n: Math.min(left, SHOWN_AT_ONCE) }));
  }

  #reconcile(todos) {
    const elements = new Map([...this.list.children].map((li) => [li.dataset.key, li]));
    const wanted = todos.map((todo) => {
      const key = this.#app.store.keyOf(todo.id);
      const li = elements.get(key) ?? createItem(key);
      elements.delete(key);
      const conflict = this.#app.conflictOf(todo.id);
      updateItem(li, { ...this.#view, todo, conflict });
      return li;
    });
    // What is being typed is not thrown away because somebody else deleted the todo.
    const removed = [...elements.values()].filter((li) => !li.classList.contains('editing'));
    const focused = document.activeElement;
    const refocus = removed.some((li) => li.contains(focused)) ? this.#neighborOf(focused) : null;
    for (const li of removed) li.remove();
    if (this.#dragged || this.#edited) for (const li of wanted) if (!li.isConnected) this.list.append(li);
    if (!this.#dragged && !this.#edited) this.#arrange(wanted);
    if (refocus) this.#focusBeside(refocus);
    // Moving an element takes the focus from it.
    else if (focused !== document.activeElement && this.list.contains(focused)) focused.focus();
  }

  #arrange(wanted) {
    let next = this.list.firstElementChild;
    for (const li of wanted) {
      if (li === next) next = next.nextElementSibling;
      else this.list.insertBefore(li, next);
    }
  }

  /** Where the focus goes when the todo that has it is gone: to the next, the one before, or the input. */
  #neighborOf(focused) {
    const li = focused.closest('.todo');
    return {
      selector: `.${focused.classList[0]}`,
      next: li.nextElementSibling,
      previous: li.previousElementSibling,
    };
  }

  #focusBeside({ selector, next, previous }) {
    const li = [next, previous].find((li) => li?.isConnected);
    (li?.querySelector(selector) ?? this.#app.newTodo).focus();
  }

  #showMore() {
    const first = this.list.children.length;
    this.#limit += SHOWN_AT_ONCE;
    this.render(this.#view);
    this.list.children[first]?.querySelector('.toggle').focus();
  }

  #todoOf(element) {
    const key = element.closest('.todo')?.dataset.key;
    return this.#view.shown.find((todo) => this.#app.store.keyOf(todo.id) === key);
  }

  #toggled(target) {
    if (!target.matches('.toggle')) return;
    const todo = this.#todoOf(target);
    this.#app.actions.complete(this.#view.route.list, [todo], target.checked);
  }

  #clicked(target) {
    const todo = this.#todoOf(target);
    if (target.matches('.destroy')) this.#app.actions.delete(this.#view.route.list, [todo]);
    if (target.matches('.details')) this.#app.showDetails(todo);
    if (target.matches('.conflict')) this.#app.showConflict(todo.id);
  }

  #pressed(event) {
    const { target, key, altKey } = event;
    if (target.matches('.edit')) return;
    const todo = this.#todoOf(target);
    const li = target.closest('.todo');
    const step = { ArrowUp: -1, ArrowDown: 1 }[key];
    const end = { Home: -Infinity, End: Infinity }[key];
    if (key === 'F2' || (key === 'Enter' && target.matches('.toggle'))) this.#edit(li);
    else if (key === 'Delete') this.#app.actions.delete(this.#view.route.list, [todo]);
    else if ((step || end) && (altKey || target.matches('.handle'))) this.#move(todo, step ?? end);
    else if (step)
      (step < 0 ? li.previousElementSibling : li.nextElementSibling)?.querySelector('.toggle').focus();
    else return;
    event.preventDefault();
  }

  /** Moves a todo by so many places, and says where it is now. */
  #move(todo, by) {
    const { shown } = this.#view;
    const from = shown.findIndex((one) => one.id === todo.id);
    const to = Math.min(Math.max(from + by, 0), shown.length - 1);
    this.place(todo, to);
  }

  place(todo, index) {
    this.#app.actions.move(this.#view.route.list, this.#view.shown, todo.id, index);
    this.#app.announce(t('moved', { n: index + 1, of: this.#view.shown.length }));
  }

  #edit(li) {
    const todo = this.#todoOf(li);
    if (!todo || this.#edited) return;
    this.#edited = todo;
    const input = startEditing(li, todo.title);
    const end = (save, refocus) => {
      if (this.#edited !== todo) return;
      this.#edited = null;
      endEditing(li);
      if (save) this.#app.actions.rename(this.#view.route.list, todo, input.value);
      this.#app.render();
      // The todo is gone when its title was emptied, or when it was deleted elsewhere meanwhile.
      if (refocus) (li.isConnected ? li.querySelector('.toggle') : this.#app.newTodo).focus();
    };
    input.addEventListener('blur', () => end(true, false));
    input.addEventListener('keydown', (event) => {
      // Not while an input method composes a character.
      if (event.isComposing || !['Enter', 'Escape'].includes(event.key)) return;
      event.preventDefault();
      end(event.key === 'Enter', true);
    });
  }

  #grabbed(event) {
    if (!event.target.matches('.handle') || event.button !== 0) return;
    const todo = this.#todoOf(event.target);
    this.#dragged = true;
    startDragging(event, this.list, ({ index, list }) => {
      this.#dragged = false;
      if (list !== undefined && list !== this.#view.route.list) {
        this.#app.actions.moveToList(this.#view.route.list, todo, list);
      } else if (index !== null) {
        this.place(todo, index);
      }
      this.render(this.#view);
    });
  }
}
