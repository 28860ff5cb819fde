// One todo in the list: its elements, and how they are brought up to date. What its buttons do is in `items`.

import { formatRoute } from '../model/route.js';
import { formatDate, t } from '../model/words.js';
import { make, setAttribute, setText } from './make.js';

export function createItem(key) {
  const label = `title-${key}`;
  const view = make(
    'div',
    { class: 'view' },
    make('button', { class: 'handle', type: 'button', 'aria-describedby': 'move-help' }, '⠿'),
    make('input', { class: 'toggle', type: 'checkbox', 'aria-labelledby': label }),
    make('label', { id: label, dir: 'auto' }),
    make('span', { class: 'chips' }),
    make('button', { class: 'details', type: 'button' }, '⋯'),
    make('button', { class: 'destroy', type: 'button' }, '×'),
  );
  return make('li', { class: 'todo', 'data-key': key }, view);
}

/** @param {{todo: object, route: object, today: string, conflict: object | null, offline: boolean}} shown */
export function updateItem(li, shown) {
  const { todo } = shown;
  const [handle, toggle, label, chips, details, destroy] = li.firstElementChild.children;
  setText(label, todo.title);
  toggle.checked = todo.completed;
  li.classList.toggle('completed', todo.completed);
  setAttribute(handle, 'aria-label', t('move', { title: todo.title }));
  setAttribute(details, 'aria-label', t('detailsTitle', { title: todo.title }));
  setAttribute(destroy, 'aria-label', t('deleteTitle', { title: todo.title }));
  // Chips are made anew, and only when they differ, so that a link among them keeps the focus.
  const described = describe(shown);
  const state = JSON.stringify(described);
  if (chips.dataset.state === state) return;
  chips.dataset.state = state;
  chips.replaceChildren(...described.map(makeChip));
}

/** What the chips of a todo say, in order. */
function describe({ todo, route, today, conflict, offline }) {
  const chips = [];
  if (conflict) chips.push({ kind: 'conflict', text: t('resolve') });
  else if (todo.unsent && offline) chips.push({ kind: 'unsent', text: t('unsent') });
  if (todo.priority)
    chips.push({ kind: `priority ${todo.priority}`, text: t(todo.priority), before: t('priority') });
  if (todo.dueDate) {
    const late = todo.dueDate < today && !todo.completed;
    const before = late ? t('overdue') : t('due');
    chips.push({
      kind: late ? 'due overdue' : 'due',
      text: formatDate(todo.dueDate),
      date: todo.dueDate,
      before,
      late,
    });
  }
  for (const tag of todo.tags) chips.push({ kind: 'tag', text: tag, href: formatRoute({ ...route, tag }) });
  return chips;
}

function makeChip({ kind, text, href, date, before, late }) {
  const name = { class: `chip ${kind}` };
  if (kind === 'conflict') return make('button', { ...name, type: 'button' }, text);
  if (href) return make('a', { ...name, href, dir: 'auto' }, text);
  const content = date ? make('time', { datetime: date }, text) : text;
  const prefix = before && make('span', { class: late ? '' : 'visually-hidden' }, `${before}: `);
  return make('span', name, prefix ?? null, content);
}

/** Shows the input with which the title is edited, and returns it. */
export function startEditing(li, title) {
  const input = make('input', { class: 'edit', 'aria-label': t('editTitle'), maxlength: 1000, dir: 'auto' });
  input.value = title;
  li.append(input);
  li.classList.add('editing');
  input.focus();
  return input;
}

export function endEditing(li) {
  li.classList.remove('editing');
  li.querySelector('.edit')?.remove();
}
