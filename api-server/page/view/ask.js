// Questions in a dialog: for a name, or for a confirmation.

import { t } from '../model/words.js';
import { make } from './make.js';

export class Ask {
  /** @returns {Promise<string | null>} null when the person cancels */
  name(title, value) {
    const input = make('input', {
      name: 'name',
      required: true,
      maxlength: 200,
      autofocus: true,
      dir: 'auto',
    });
    input.value = value;
    const label = make('label', {}, make('span', {}, t('name')), input);
    return this.#open(title, [label], t('save'), () => input.value);
  }

  /** @returns {Promise<boolean>} */
  async confirm(title, text, button) {
    return (await this.#open(title, [make('p', { dir: 'auto' }, text)], button, () => 'yes')) === 'yes';
  }

  #open(title, content, button, answer) {
    const dialog = make(
      'dialog',
      { 'aria-labelledby': 'ask-title', class: 'ask' },
      make(
        'form',
        { method: 'dialog' },
        make('h2', { id: 'ask-title' }, title),
        ...content,
        make(
          'p',
          { class: 'buttons' },
          make('button', { type: 'button', onclick: () => dialog.close('cancel') }, t('cancel')),
          make('button', { type: 'submit', value: 'ok', class: 'primary' }, button),
        ),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => {
        resolve(dialog.returnValue === 'ok' ? answer() : null);
        dialog.remove();
      });
    });
  }
}
