// Starts the page: makes its parts and connects them.

import { chooseLanguage, t } from './model/words.js';
import { Queue } from './model/queue.js';
import { Access } from './net/access.js';
import { Actions } from './net/actions.js';
import { Api } from './net/api.js';
import { Kept } from './net/kept.js';
import { Live } from './net/live.js';
import { Store } from './net/store.js';
import { Sync } from './net/sync.js';
import { TodoAccess } from './view/access.js';
import { TodoApp } from './view/app.js';
import { TodoConflict } from './view/conflict.js';
import { TodoDetails } from './view/details.js';
import { TodoItems } from './view/items.js';
import { TodoLists } from './view/lists.js';
import { TodoSearch } from './view/search.js';
import { TodoStatus } from './view/status.js';

/** The texts of the HTML, which is in English. */
function translate() {
  document.documentElement.lang = chooseLanguage(navigator.languages);
  for (const element of document.querySelectorAll('[data-word]'))
    element.textContent = t(element.dataset.word);
  for (const element of document.querySelectorAll('[data-label]')) {
    element.setAttribute('aria-label', t(element.dataset.label));
  }
  for (const element of document.querySelectorAll('[data-placeholder]')) {
    element.placeholder = t(element.dataset.placeholder);
  }
}

function storage() {
  try {
    return globalThis.localStorage;
  } catch {
    // Forbidden by the settings of the browser.
    return null;
  }
}

/** Every part was loaded: the count of failed tries, which `index.html` keeps, begins anew. */
function loaded() {
  try {
    sessionStorage.removeItem('todostack-tries');
  } catch {
    // Then there is no count.
  }
}

function start() {
  loaded();
  translate();
  const app = document.querySelector('todo-app');
  const api = new Api();
  const store = new Store();
  const sync = new Sync(api, store);
  const live = new Live(api, store);
  const actions = new Actions(store, sync);
  // Several services may share an origin below different prefixes, and several people a browser.
  const useQueue = (subject) => {
    store.queue = new Queue(storage(), `todostack${location.pathname}${encodeURIComponent(subject)}`);
    store.changed();
  };
  useQueue('');
  const access = new Access({ api, store, useQueue, resume: () => live.restart() });
  const kept = new Kept(store, storage(), `todostack${location.pathname}`);
  live.onConnected = () => sync.wake();
  live.onUnreachable = () => kept.restore(app.route.list);
  sync.onUnreachable = () => live.unreachable();
  live.onSignedOut = sync.onSignedOut = () => access.signedOut();
  const changed = () => {
    live.settle();
    kept.keepLater(app.route.list, !access.isLoggedIn);
  };
  addEventListener('storage', ({ key }) => {
    if (!store.queue.owns(key)) return;
    store.queue.read();
    store.changed();
  });

  access.confirmLoss = (n) => app.ask.confirm(t('logout'), t('logoutUnsent', { n }), t('logout'));
  const parts = { access: TodoAccess, conflict: TodoConflict, details: TodoDetails, items: TodoItems };
  const more = { lists: TodoLists, search: TodoSearch, status: TodoStatus, app: TodoApp };
  for (const [name, part] of Object.entries({ ...parts, ...more }))
    customElements.define(`todo-${name}`, part);
  access.start().then(() => {
    app.start({ store, actions, live, sync, access });
    store.addEventListener('change', changed);
    live.loadLists();
    live.start();
    sync.run();
    registerWorker();
  });
}

/** Where there is TLS, or the page is on this machine. Without, the page needs a network to be opened. */
function registerWorker() {
  const address = String(new URL('worker.js', import.meta.url));
  const policy = globalThis.trustedTypes?.createPolicy('todostack-worker', {
    createScriptURL: () => address,
  });
  const registered = navigator.serviceWorker?.register(policy?.createScriptURL('') ?? address, {
    scope: './',
  });
  registered?.catch((error) => console.warn(error));
}

start();
