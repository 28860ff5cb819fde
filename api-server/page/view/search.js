// The search: a text, a tag, a priority, a due date. All of it stands in the address.

import { DUES, PRIORITIES } from '../model/route.js';
import { t } from '../model/words.js';
import { make } from './make.js';

export class TodoSearch extends HTMLElement {
  #tags = '';

  start(app) {
    this.text = this.querySelector('[name=text]');
    [this.tag, this.priority, this.due] = this.querySelectorAll('select');
    fill(this.priority, [['', t('anyPriority')], ...PRIORITIES.map((priority) => [priority, t(priority)])]);
    const dues = { overdue: t('overdue'), today: t('dueToday'), week: t('dueWeek'), none: t('dueNone') };
    fill(this.due, [['', t('anyDue')], ...DUES.map((due) => [due, dues[due]])]);
    // A history with an entry for every letter would make the back button useless.
    this.addEventListener('input', () => app.go(this.#values(), { replace: true }));
    this.querySelector('form').addEventListener('submit', (event) => event.preventDefault());
  }

  #values() {
    return Object.fromEntries(['text', 'tag', 'priority', 'due'].map((name) => [name, this[name].value]));
  }

  render({ todos, route }) {
    const used = new Set(todos.flatMap((todo) => todo.tags));
    // So that a link to a tag that no todo has any more says what it is looking for.
    if (route.tag) used.add(route.tag);
    const tags = [...used].sort((a, b) => a.localeCompare(b));
    if (tags.join('\0') !== this.#tags) {
      this.#tags = tags.join('\0');
      fill(this.tag, [['', t('anyTag')], ...tags.map((tag) => [tag, tag])]);
    }
    if (document.activeElement !== this.text) this.text.value = route.text;
    for (const name of ['tag', 'priority', 'due']) this[name].value = route[name];
    this.hidden = todos.length === 0 && !route.text;
  }
}

function fill(select, options) {
  select.replaceChildren(...options.map(([value, text]) => make('option', { value }, text)));
}
