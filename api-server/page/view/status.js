// What the page says of itself: the state of the connection, and notices with what can be done about them.

import { t } from '../model/words.js';
import { make, setAttribute, setText } from './make.js';

/** A change that is saved within this time is not worth a word. */
const SAVING_AFTER_MS = 700;

export class TodoStatus extends HTMLElement {
  #app;
  #shown = [];

  start(app) {
    this.#app = app;
    this.connection = this.querySelector('.connection');
    this.notices = this.querySelector('.notices');
  }

  render(store) {
    const [state, text] = describe(store, Date.now());
    setAttribute(this.connection, 'data-state', state);
    // Nothing is being connected until somebody has logged in.
    this.connection.hidden = state === 'connecting' && store.barrier !== null;
    setText(this.connection.querySelector('.text'), text);
    if (store.notices === this.#shown) return;
    this.#shown = store.notices;
    this.notices.replaceChildren(...store.notices.map((notice) => this.#notice(notice)));
  }

  /** @param {{id: number, kind: string, text: string, actions: {word: string, act: () => void}[]}} notice */
  #notice({ id, kind, text, actions }) {
    const button = ({ word, act }) => {
      const end = () => {
        this.#app.dismiss(id);
        act();
      };
      return make('button', { type: 'button', onclick: end }, t(word));
    };
    const buttons = [...actions, { word: 'dismiss', act: () => this.#app.newTodo.focus() }].map(button);
    return make('div', { class: `notice ${kind}` }, make('p', { dir: 'auto' }, text), ...buttons);
  }
}

/** The state, for its color, and what it is called. */
export function describe(store, now) {
  const { operations, connection, trouble, fromCache, queue } = store;
  const n = operations.length;
  const late = operations.some((operation) => now - operation.at > SAVING_AFTER_MS);
  if (queue && !queue.durable && n > 0) return ['trouble', t('notKept')];
  if (connection === 'offline') {
    return ['offline', [t('offlineText', { n }), fromCache ? t('fromCache') : ''].join(' ').trim()];
  }
  if (trouble) return ['trouble', t('trouble', { why: sentence(trouble.message) })];
  if (n > store.conflicts.size && late) return ['saving', t('saving', { n: n - store.conflicts.size })];
  if (connection === 'polling') return ['polling', t('checking', { n: 5 })];
  return connection === 'live' ? ['live', t('live')] : ['connecting', t('connecting')];
}

const sentence = (text) => (/[.!?…]$/.test(text) ? text : `${text}.`);
