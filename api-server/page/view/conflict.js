// A conflict in a dialog: the todo was changed here and elsewhere. Shows both versions; the person chooses.

import { same } from '../model/merge.js';
import { formatDate, t } from '../model/words.js';
import { make } from './make.js';

const FIELDS = { title: 'title', completed: 'completed', dueDate: 'due', tags: 'tags', priority: 'priority' };

export class TodoConflict extends HTMLElement {
  #app;

  start(app) {
    this.#app = app;
  }

  /** @param {{operation: object, current: object | null}} conflict */
  open(conflict) {
    if (this.firstElementChild) return;
    const { operation, current } = conflict;
    const { kind, base, patch } = operation;
    const isGone = current === null;
    const text = isGone ? 'conflictGone' : kind === 'delete' ? 'conflictDelete' : 'conflictUpdate';
    const mineWord = isGone ? 'createAgain' : kind === 'delete' ? 'deleteAnyway' : 'keepMine';
    const choose = (keepMine) => () => {
      dialog.close();
      this.#app.actions.resolve(conflict, keepMine);
    };
    const dialog = make(
      'dialog',
      { 'aria-labelledby': 'conflict-title', 'aria-describedby': 'conflict-text' },
      make('h2', { id: 'conflict-title' }, t('conflict')),
      make('p', { id: 'conflict-text' }, t(text)),
      makeTable({ ...base, ...patch }, current),
      make(
        'p',
        { class: 'buttons' },
        make('button', { type: 'button', onclick: choose(false) }, t(isGone ? 'discard' : 'keepTheirs')),
        make('button', { type: 'button', class: 'primary', onclick: choose(true) }, t(mineWord)),
      ),
    );
    // Escape leaves the question open: the todo has a button that asks again.
    dialog.addEventListener('close', () => dialog.remove());
    this.append(dialog);
    dialog.showModal();
  }
}

/** A row for each field that differs. */
function makeTable(mine, theirs) {
  const columns = theirs ? [mine, theirs] : [mine];
  const heads = theirs ? [t('mine'), t('theirs')] : [t('mine')];
  const differs = ([field]) => (theirs ? !same(mine[field], theirs[field]) : field === 'title');
  const rows = Object.entries(FIELDS).filter(differs);
  return make(
    'table',
    {},
    make('thead', {}, make('tr', {}, make('td'), ...heads.map((head) => make('th', { scope: 'col' }, head)))),
    make(
      'tbody',
      {},
      ...rows.map(([field, word]) => {
        const cells = columns.map((version) => make('td', { dir: 'auto' }, format(field, version[field])));
        return make('tr', {}, make('th', { scope: 'row' }, t(word)), ...cells);
      }),
    ),
  );
}

function format(field, value) {
  if (field === 'completed') return t(value ? 'done' : 'open');
  if (field === 'tags') return value.join(', ') || t('noTag');
  if (field === 'dueDate') return value ? formatDate(value) : t('dueNone');
  if (field === 'priority') return value ? t(value) : t('priorityNone');
  return value;
}
