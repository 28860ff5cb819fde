// The details of a todo in a dialog: all of its fields, its list and its place, for those who do not drag.

import { PRIORITIES } from '../model/route.js';
import { t } from '../model/words.js';
import { make } from './make.js';

export class TodoDetails extends HTMLElement {
  #app;

  start(app) {
    this.#app = app;
  }

  /** @param {{todo: object, list: unknown, lists: object[], place: (by: number) => void}} shown */
  open({ todo, list, lists, place }) {
    const fields = makeFields(todo, list, lists);
    const button = (word, act) => make('button', { type: 'button', onclick: act }, t(word));
    const dialog = make(
      'dialog',
      { 'aria-labelledby': 'details-title' },
      make(
        'form',
        { method: 'dialog' },
        make('h2', { id: 'details-title' }, t('details')),
        ...Object.entries(fields).map(([word, field]) => make('label', {}, make('span', {}, t(word)), field)),
        make(
          'p',
          { class: 'buttons' },
          button('moveUp', () => place(-1)),
          button('moveDown', () => place(1)),
        ),
        make(
          'p',
          { class: 'buttons' },
          button('cancel', () => dialog.close('cancel')),
          make('button', { type: 'submit', value: 'ok', class: 'primary' }, t('save')),
        ),
      ),
    );
    dialog.addEventListener('close', () => {
      if (dialog.returnValue === 'ok') this.#save(todo, list, fields);
      dialog.remove();
    });
    this.append(dialog);
    dialog.showModal();
  }

  #save(todo, list, { title, due, priority, addTag, list: target }) {
    const patch = {
      title: title.value.trim() || todo.title,
      dueDate: due.value || null,
      priority: priority.value || null,
      tags: splitTags(addTag.value),
    };
    this.#app.actions.update(list, todo, patch);
    const chosen = target.value === '' ? null : Number(target.value) || target.value;
    if (chosen !== list) this.#app.actions.moveToList(list, { ...todo, ...patch }, chosen);
  }
}

/** Keyed by the words of their labels. */
function makeFields(todo, list, lists) {
  const option = (value, text) => make('option', { value }, text);
  const fields = {
    title: make('input', { name: 'title', required: true, maxlength: 1000, dir: 'auto', autofocus: true }),
    due: make('input', { name: 'due', type: 'date', max: '9999-12-31' }),
    priority: make('select', { name: 'priority' }, option('', t('priorityNone'))),
    addTag: make('input', { name: 'tags', dir: 'auto' }),
    list: make('select', { name: 'list' }, option('', t('defaultList'))),
  };
  fields.priority.append(...PRIORITIES.map((priority) => option(priority, t(priority))));
  fields.list.append(...lists.map(({ id, name }) => option(id, name)));
  fields.title.value = todo.title;
  fields.due.value = todo.dueDate ?? '';
  fields.priority.value = todo.priority ?? '';
  fields.addTag.value = todo.tags.join(', ');
  fields.list.value = list ?? '';
  return fields;
}

/** Different tags without the space around them. */
export function splitTags(text) {
  return [...new Set(text.split(',').map((tag) => tag.trim()))].filter((tag) => tag !== '');
}
