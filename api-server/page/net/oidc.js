// OpenID Connect as a public client: the authorization code flow with PKCE (RFC 7636). Keeps nothing.

export const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');

export const randomText = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** The proof of a verifier that may be seen by others (S256). */
export async function challengeOf(verifier) {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
}

/** @param {object} values undefined and empty ones are left out */
export function withQuery(address, values) {
  const url = new URL(address);
  for (const [name, value] of Object.entries(values)) if (value) url.searchParams.set(name, value);
  return url.href;
}

/** What the issuer has put into the address, or null when the page was opened otherwise. */
export function readCallback(search) {
  const values = new URLSearchParams(search);
  const state = values.get('state');
  if (state === null || !(values.has('code') || values.has('error'))) return null;
  return {
    state,
    code: values.get('code'),
    error: values.get('error'),
    description: values.get('error_description') ?? values.get('error') ?? '',
  };
}

/** The claims of a token, which the service verifies; the page only shows a name. */
export function readClaims(token) {
  try {
    const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))));
  } catch {
    return {};
  }
}

/** The endpoints of an issuer. */
export async function discover(issuer, fetch) {
  const base = issuer.replace(/\/$/, '');
  const found = await (await expectOk(await fetch(`${base}/.well-known/openid-configuration`))).json();
  if (String(found.issuer).replace(/\/$/, '') !== base) throw new Error(`issuer ${found.issuer}`);
  return found;
}

/** Gets tokens for a code or for a refresh token. */
export async function requestTokens(endpoint, values, fetch) {
  const response = await fetch(endpoint, { method: 'POST', body: new URLSearchParams(values) });
  return (await expectOk(response)).json();
}

async function expectOk(response) {
  if (response.ok) return response;
  const { error = `HTTP ${response.status}`, error_description: description } = await response
    .json()
    .catch(() => ({}));
  throw new Error(description ?? error);
}
