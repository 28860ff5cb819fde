// Who uses the page: nobody in particular, somebody who logs in, or somebody who has a token. Tokens are in
// memory only: a reload asks the issuer again, which knows its own session.

import { t } from '../model/words.js';
import {
  challengeOf,
  discover,
  randomText,
  readCallback,
  readClaims,
  requestTokens,
  withQuery,
} from './oidc.js';

/** By state, what each login that has begun needs when the issuer sends the person back. */
const PENDING = 'todostack-login';
/** That somebody was logged in, so that a reload may ask the issuer without a question to the person. */
const SESSION = 'todostack-session';

export class Access {
  #api;
  #store;
  #useQueue;
  #resume;
  #configuration;
  #login = null;
  #refreshToken = null;
  #idToken = null;
  #renewal = null;
  #signingOut = null;

  isLoggedIn = false;
  name = '';
  /** The words that say why a login is needed. */
  reason = 'loginText';
  error = null;

  /** Called with the number of changes that a logout would lose; resolves to whether that is wanted. */
  confirmLoss = async () => true;

  /** @param {{api: object, store: object, useQueue: (subject: string) => void, resume: () => void}} parts */
  constructor({ api, store, useQueue, resume }) {
    this.#api = api;
    this.#store = store;
    this.#useQueue = useQueue;
    this.#resume = resume;
  }

  get hasLogin() {
    return this.#login !== null;
  }

  /** Asks for the configuration, and completes a login that has begun. Nobody waits unless there is one. */
  async start() {
    this.#api.renew = () => this.#renew();
    const callback = readCallback(location.search);
    this.#configuration = this.#configure();
    if (callback) await this.#complete(callback);
  }

  async #configure() {
    try {
      this.#login = (await this.#api.send('GET', 'page.json')).data.login;
    } catch {
      // Asked for again when a login is needed.
      this.#configuration = null;
    }
    this.#store.changed();
  }

  /** The service wants a token, or another one. Requests that are refused at once have one consequence. */
  signedOut() {
    this.#signingOut ??= this.#signOut().finally(() => (this.#signingOut = null));
    return this.#signingOut;
  }

  async #signOut() {
    if (this.#store.barrier) return;
    this.#configuration ??= this.#configure();
    await this.#configuration;
    if (this.isLoggedIn) this.reason = 'sessionEnded';
    if (this.#login && !this.isLoggedIn && this.#session.getItem(SESSION)) await this.login('none');
    this.isLoggedIn = false;
    this.#api.token = null;
    this.#store.set({ barrier: 'signedOut' });
  }

  /** Leaves the page for the issuer. With the prompt `none`, the issuer asks the person nothing. */
  async login(prompt = this.#store.barrier === 'forbidden' ? 'login' : undefined) {
    if (!crypto.subtle) {
      this.#fail(t('loginNeedsTls'));
      return;
    }
    try {
      const { authorization_endpoint: endpoint } = await discover(this.#login.issuer, fetch);
      const { clientId, scope, audience } = this.#login;
      const [state, nonce, verifier] = [randomText(), randomText(), randomText()];
      // Beside the others: which of them the issuer answers is up to the browser.
      const logins = { ...this.#pendingLogins(), [state]: { nonce, verifier, hash: location.hash } };
      this.#session.setItem(PENDING, JSON.stringify(logins));
      location.assign(
        withQuery(endpoint, {
          response_type: 'code',
          client_id: clientId,
          redirect_uri: redirectUri(),
          scope,
          audience,
          state,
          nonce,
          code_challenge: await challengeOf(verifier),
          code_challenge_method: 'S256',
          prompt,
        }),
      );
    } catch (error) {
      this.#fail(t('loginFailed', { why: error.message }));
    }
  }

  async #complete({ state, code, error, description }) {
    const logins = this.#pendingLogins();
    const pending = Object.hasOwn(logins, state) ? logins[state] : null;
    this.#session.removeItem(PENDING);
    // The code is worth nothing any more, and has no place in an address that people copy.
    history.replaceState(null, '', location.pathname + (pending?.hash ?? ''));
    await this.#configuration;
    if (error || !this.#login || !pending) {
      this.#session.removeItem(SESSION);
      // The issuer has no session, so the person has to log in: no failure.
      const isExpected = ['login_required', 'interaction_required', 'consent_required'].includes(error);
      this.#fail(isExpected ? null : t('loginFailed', { why: description || 'state' }));
      this.#store.set({ barrier: 'signedOut' });
      return;
    }
    try {
      const values = {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri(),
        code_verifier: pending.verifier,
      };
      await this.#request(values, pending.nonce);
      this.#session.setItem(SESSION, 'yes');
    } catch (failure) {
      this.#fail(t('loginFailed', { why: failure.message }));
      this.#store.set({ barrier: 'signedOut' });
    }
  }

  #pendingLogins() {
    return JSON.parse(this.#session.getItem(PENDING) ?? '{}');
  }

  async #request(values, nonce) {
    const { token_endpoint: endpoint } = await discover(this.#login.issuer, fetch);
    const tokens = await requestTokens(endpoint, { ...values, client_id: this.#login.clientId }, fetch);
    if (nonce && tokens.id_token && readClaims(tokens.id_token).nonce !== nonce) throw new Error('nonce');
    this.#idToken = tokens.id_token ?? this.#idToken;
    this.#refreshToken = tokens.refresh_token ?? this.#refreshToken;
    this.#accept(tokens.access_token, readClaims(tokens.id_token ?? ''));
  }

  #accept(token, { name, preferred_username: username, email } = {}) {
    this.#api.token = token;
    this.name = name ?? username ?? email ?? this.name;
    this.error = null;
    if (this.isLoggedIn) return;
    this.isLoggedIn = true;
    this.#useQueue(readClaims(token).sub ?? '');
  }

  /** Gets another token without a word to the person, if it can. Requests that fail at once share one. */
  async #renew() {
    if (!this.#refreshToken) return false;
    this.#renewal ??= this.#request({ grant_type: 'refresh_token', refresh_token: this.#refreshToken })
      .then(() => true)
      .catch(() => {
        this.#refreshToken = null;
        return false;
      })
      .finally(() => (this.#renewal = null));
    return this.#renewal;
  }

  /** A token of somebody for whom there is no login. */
  useToken(token) {
    this.#accept(token);
    this.#store.set({ barrier: null });
    this.#resume();
  }

  async logout() {
    const n = this.#store.operations.length;
    if (n > 0 && !(await this.confirmLoss(n))) return;
    const idToken = this.#idToken;
    this.#store.queue.clear();
    this.#store.reset();
    Object.assign(this, { isLoggedIn: false, name: '', reason: 'loginText' });
    [this.#api.token, this.#refreshToken, this.#idToken] = [null, null, null];
    this.#session.removeItem(SESSION);
    this.#useQueue('');
    this.#store.set({ barrier: 'signedOut' });
    this.#resume();
    if (this.#login) await this.#endSession(idToken);
  }

  /** Without the session of the issuer, a login would bring the same person back without a question. */
  async #endSession(idToken) {
    const found = await discover(this.#login.issuer, fetch).catch(() => ({}));
    if (!found.end_session_endpoint) return;
    const back = { post_logout_redirect_uri: redirectUri(), client_id: this.#login.clientId };
    location.assign(withQuery(found.end_session_endpoint, { ...back, id_token_hint: idToken }));
  }

  #fail(text) {
    this.error = text;
    this.#store.changed();
  }

  /** Of this tab. Forbidden storage is none: then a login cannot be completed, and says so. */
  get #session() {
    try {
      return globalThis.sessionStorage;
    } catch {
      return { getItem: () => null, setItem: () => {}, removeItem: () => {} };
    }
  }
}

/** The address of the page, which the issuer must know. */
const redirectUri = () => location.origin + location.pathname;
