// An issuer of tokens for tests: OpenID Connect with PKCE, and a person who is logged in at once. What the
// page does with its answers is in `login.test.js`.

import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';

const AUDIENCE = 'todos';
const CLIENT = 'page';

const base64url = (value) => Buffer.from(value).toString('base64url');

export class Issuer {
  static async start() {
    const issuer = new Issuer();
    await new Promise((resolve) => issuer.server.listen(0, '127.0.0.1', resolve));
    issuer.url = `http://127.0.0.1:${issuer.server.address().port}`;
    return issuer;
  }

  #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  #codes = new Map();
  lifetime = 3600;
  requests = [];

  constructor() {
    this.reset();
    this.server = createServer((request, response) => this.#answer(request, response));
  }

  async stop() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  /** Another user, whose browser the issuer does not know yet, and who may read and write todos. */
  reset() {
    const scope = 'openid todos:read todos:write';
    Object.assign(this, { hasSession: false, scope, subject: `ana-${randomUUID()}` });
  }

  /** The variables of a service that trusts this issuer, with or without a login for people. */
  variables({ login = true } = {}) {
    const trust = { TODOSTACK_JWT_ISSUER: this.url, TODOSTACK_JWT_AUDIENCE: AUDIENCE };
    const keys = { TODOSTACK_JWKS_URL: `${this.url}/jwks` };
    return { ...trust, ...keys, ...(login ? { TODOSTACK_OIDC_CLIENT_ID: CLIENT } : {}) };
  }

  token(claims = {}) {
    const exp = Math.floor(Date.now() / 1000) + this.lifetime;
    const all = { iss: this.url, aud: AUDIENCE, sub: this.subject, scope: this.scope, exp, ...claims };
    const signed = [{ alg: 'ES256', kid: 'k', typ: 'JWT' }, all].map((part) =>
      base64url(JSON.stringify(part)),
    );
    const key = { key: this.#keys.privateKey, dsaEncoding: 'ieee-p1363' };
    return [...signed, sign('sha256', Buffer.from(signed.join('.')), key).toString('base64url')].join('.');
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.url);
    this.requests.push(url);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const answers = {
      '/.well-known/openid-configuration': () => this.#discovery(),
      '/jwks': () => ({
        keys: [{ ...this.#keys.publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256' }],
      }),
      '/authorize': () => this.#authorize(url.searchParams),
      '/token': () => this.#exchange(new URLSearchParams(Buffer.concat(chunks).toString())),
      '/logout': () => this.#logout(url.searchParams),
    };
    const answer = answers[url.pathname]?.() ?? { status: 404 };
    if (answer instanceof URL) return void response.writeHead(302, { location: answer.href }).end();
    const headers = { 'content-type': 'application/json', 'access-control-allow-origin': '*' };
    response.writeHead(answer.status ?? 200, headers).end(JSON.stringify(answer));
  }

  #discovery() {
    const at = (path) => `${this.url}/${path}`;
    const endpoints = { authorization_endpoint: at('authorize'), token_endpoint: at('token') };
    return { issuer: this.url, ...endpoints, jwks_uri: at('jwks'), end_session_endpoint: at('logout') };
  }

  #authorize(values) {
    const back = new URL(values.get('redirect_uri'));
    back.searchParams.set('state', values.get('state'));
    if (values.get('prompt') === 'none' && !this.hasSession) {
      back.searchParams.set('error', 'login_required');
      return back;
    }
    this.hasSession = true;
    const code = randomUUID();
    this.#codes.set(code, values);
    back.searchParams.set('code', code);
    return back;
  }

  #exchange(values) {
    const asked = this.#codes.get(values.get('code'));
    this.#codes.delete(values.get('code'));
    const verifier = createHash('sha256').update(values.get('code_verifier') ?? '');
    if (asked?.get('code_challenge') !== verifier.digest('base64url')) {
      return { status: 400, error: 'invalid_grant' };
    }
    const id = this.token({ aud: CLIENT, nonce: asked.get('nonce'), name: 'Ana Lima' });
    return { access_token: this.token(), id_token: id, token_type: 'Bearer', expires_in: this.lifetime };
  }

  #logout(values) {
    this.hasSession = false;
    return new URL(values.get('post_logout_redirect_uri'));
  }
}
