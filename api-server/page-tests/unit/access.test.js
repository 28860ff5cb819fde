// Who uses the page: how it leaves for the issuer and comes back. The browser around it is made up here.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Access } from '../../page/net/access.js';
import { challengeOf } from '../../page/net/oidc.js';
import { Store } from '../../page/net/store.js';
import { respond } from './service.js';

const LOGIN = { issuer: 'https://login.example', clientId: 'page', scope: 'openid', audience: 'todos' };
const ENDPOINTS = { authorization_endpoint: 'https://login.example/authorize', token_endpoint: 'token' };

class Storage {
  #items = new Map();
  get length() {
    return this.#items.size;
  }
  key = (index) => [...this.#items.keys()][index] ?? null;
  getItem = (name) => this.#items.get(name) ?? null;
  setItem = (name, value) => this.#items.set(name, value);
  removeItem = (name) => this.#items.delete(name);
}

/** The addresses that the page has left for. */
let left;
/** The verifiers with which it asked for tokens. */
let verifiers;

/** A page that was opened with a query, in the same tab as before. */
function openPage(search = '') {
  globalThis.location = {
    ...{ origin: 'https://todos.example', pathname: '/', hash: '#/active', search },
    assign: (address) => left.push(new URL(address)),
  };
  const store = new Store();
  const api = { send: async () => ({ data: { login: LOGIN } }) };
  return { store, api, access: new Access({ api, store, useQueue: () => {}, resume: () => {} }) };
}

beforeEach(() => {
  [left, verifiers] = [[], []];
  globalThis.sessionStorage = new Storage();
  globalThis.history = { replaceState: () => {} };
  globalThis.fetch = async (address, options) => {
    if (options?.method !== 'POST') return respond(200, { issuer: LOGIN.issuer, ...ENDPOINTS });
    verifiers.push(options.body.get('code_verifier'));
    return respond(200, { access_token: 'of Ana' });
  };
});

/** The page after the issuer has sent the person back from an address. */
async function comeBack(address) {
  const page = openPage(`?code=c&state=${address.searchParams.get('state')}`);
  await page.access.start();
  return page;
}

test('requests that are refused at once lead to the issuer once', async () => {
  sessionStorage.setItem('todostack-session', 'yes');
  const { access, store } = openPage();
  await access.start();
  await Promise.all([access.signedOut(), access.signedOut(), access.signedOut()]);
  await access.signedOut();
  assert.equal(left.length, 1);
  assert.equal(left[0].searchParams.get('prompt'), 'none');
  assert.equal(store.barrier, 'signedOut');
});

test('whoever was logged in is asked, however many requests are refused at once', async () => {
  const { access, store } = openPage();
  await access.start();
  access.useToken('of Ana');
  sessionStorage.setItem('todostack-session', 'yes');
  await Promise.all([access.signedOut(), access.signedOut()]);
  assert.deepEqual(left, [], 'what is being typed is not lost');
  assert.deepEqual([store.barrier, access.reason], ['signedOut', 'sessionEnded']);
});

for (const completed of [0, 1, 2]) {
  test(`of several logins that have begun, each can be completed: ${completed}`, async () => {
    const { access } = openPage();
    await access.start();
    await access.signedOut();
    await Promise.all([access.login('none'), access.login(), access.login()]);
    assert.equal(left.length, 3);
    const challenge = left[completed].searchParams.get('code_challenge');
    const { access: back, api } = await comeBack(left[completed]);
    assert.deepEqual([back.error, api.token], [null, 'of Ana']);
    assert.equal(await challengeOf(verifiers[0]), challenge);
  });
}

test('a login can be completed once, and ends the others', async () => {
  const { access } = openPage();
  await access.start();
  await access.signedOut();
  await Promise.all([access.login(), access.login()]);
  await comeBack(left[0]);
  for (const address of left) {
    const { access: again, store } = await comeBack(address);
    assert.match(again.error, /The login failed/);
    assert.equal(store.barrier, 'signedOut');
  }
  assert.equal(verifiers.length, 1);
  assert.equal(sessionStorage.length, 0);
});

test('an answer that the page has not asked for is no login', async () => {
  for (const state of ['forged', '', '__proto__']) {
    const { access, store } = openPage(`?code=stolen&state=${state}`);
    await access.start();
    assert.match(access.error, /The login failed/);
    assert.equal(store.barrier, 'signedOut');
  }
  assert.deepEqual(verifiers, []);
});
