// The parts of a login.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  base64url,
  challengeOf,
  discover,
  randomText,
  readCallback,
  readClaims,
  withQuery,
} from '../../page/net/oidc.js';

const answer =
  (body, status = 200) =>
  async () =>
    new Response(JSON.stringify(body), { status });

test('the proof is that of RFC 7636, appendix B', async () => {
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
  assert.equal(await challengeOf(verifier), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
});

test('random texts are long enough for a verifier, and differ', () => {
  assert.match(randomText(), /^[A-Za-z0-9_-]{43}$/);
  assert.notEqual(randomText(), randomText());
});

test('values are added to an address that has some', () => {
  const address = withQuery('https://a.example/auth?x=1', { scope: 'a b', prompt: undefined, audience: '' });
  assert.equal(address, 'https://a.example/auth?x=1&scope=a+b');
});

test('only an answer of the issuer is a callback', () => {
  assert.equal(readCallback(''), null);
  assert.equal(readCallback('?code=1'), null);
  assert.equal(readCallback('?state=1'), null);
  assert.equal(readCallback('?state=s&code=c').code, 'c');
  const denied = readCallback('?state=s&error=access_denied&error_description=No.');
  assert.deepEqual([denied.error, denied.description], ['access_denied', 'No.']);
});

test('the claims of a token are read in any script, and a token that is none has no claims', () => {
  const payload = base64url(new TextEncoder().encode(JSON.stringify({ name: 'Zoë 王' })));
  assert.equal(readClaims(`h.${payload}.s`).name, 'Zoë 王');
  for (const token of ['', 'a', 'a.b.c', 'opaque']) assert.deepEqual(readClaims(token), {});
});

test('the discovery document must be that of the issuer', async () => {
  const issuer = 'https://login.example.com/realms/shop';
  for (const named of [issuer, `${issuer}/`]) {
    assert.equal((await discover(`${issuer}/`, answer({ issuer: named }))).issuer, named);
  }
  await assert.rejects(discover(issuer, answer({ issuer: 'https://evil.example' })));
  await assert.rejects(discover(issuer, answer({ error_description: 'Down.' }, 503)), /Down\./);
});
