// What somebody sees who may not see todos: the login, or why there is none. And the button to log out.

import { t } from '../model/words.js';
import { setText } from './make.js';

export class TodoAccess extends HTMLElement {
  #app;

  start(app) {
    this.#app = app;
    this.panel = this.querySelector('.panel');
    this.login = this.panel.querySelector('.login');
    this.form = this.panel.querySelector('form');
    this.logout = this.querySelector('.logout');
    this.login.addEventListener('click', () => app.access.login());
    this.logout.addEventListener('click', () => app.access.logout());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      app.access.useToken(this.form.elements.token.value.trim());
      this.form.reset();
    });
  }

  render({ barrier }) {
    const { access } = this.#app;
    this.panel.hidden = !barrier;
    this.logout.hidden = !access.isLoggedIn;
    setText(
      this.logout.querySelector('.text'),
      access.name ? `${t('logout')} (${access.name})` : t('logout'),
    );
    if (!barrier) return;
    const text = barrier === 'forbidden' ? 'forbidden' : access.hasLogin ? access.reason : 'tokenText';
    setText(this.panel.querySelector('.why'), t(text));
    setText(this.panel.querySelector('.error'), access.error ?? '');
    this.login.hidden = !access.hasLogin;
    this.form.hidden = access.hasLogin;
  }
}
