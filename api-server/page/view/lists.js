// The lists: which there are, which one is shown, and how they are made, renamed and deleted.

import { formatRoute } from '../model/route.js';
import { t } from '../model/words.js';
import { make, setAttribute } from './make.js';

export class TodoLists extends HTMLElement {
  #app;
  #state = '';

  start(app) {
    this.#app = app;
    this.links = this.querySelector('ul');
    this.querySelector('.new-list').addEventListener('click', () => this.#create());
    this.own = this.querySelector('.own');
    this.own.querySelector('.rename-list').addEventListener('click', () => this.#rename());
    this.own.querySelector('.delete-list').addEventListener('click', () => this.#delete());
  }

  render({ lists, route }) {
    this.lists = lists;
    this.route = route;
    this.own.hidden = !this.#current();
    const state = JSON.stringify([lists.map(({ id, name }) => [id, name]), route]);
    if (state === this.#state) return;
    this.#state = state;
    const focused = this.links.contains(document.activeElement)
      ? document.activeElement.dataset.list
      : undefined;
    const links = [{ id: null, name: t('defaultList') }, ...lists].map((list) => this.#link(list));
    this.links.replaceChildren(...links.map((link) => make('li', {}, link)));
    links.find((link) => link.dataset.list === focused)?.focus();
  }

  #link({ id, name }) {
    // Another list has other tags: the search of this one would hide them.
    const href = formatRoute({ filter: this.route.filter, list: id });
    const link = make('a', { href, 'data-list': id ?? '', dir: 'auto' }, name);
    setAttribute(link, 'aria-current', this.route.list === id ? 'page' : null);
    return link;
  }

  #current() {
    return this.lists.find(({ id }) => id === this.route.list);
  }

  async #create() {
    const name = await this.#app.ask.name(t('newList'), '');
    if (name?.trim()) this.#app.go({ list: this.#app.actions.createList(name) });
  }

  async #rename() {
    const list = this.#current();
    const name = await this.#app.ask.name(t('renameList'), list.name);
    if (name) this.#app.actions.renameList(list, name);
  }

  async #delete() {
    const list = this.#current();
    const n = this.#app.store.todos(list.id).length;
    const text = t('deleteListText', { name: list.name, n });
    if (!(await this.#app.ask.confirm(t('deleteList'), text, t('delete')))) return;
    this.#app.actions.deleteList(list);
    this.#app.go({ list: null });
  }
}
