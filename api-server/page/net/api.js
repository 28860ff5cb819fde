// Requests to the API, whose page this is: all addresses are relative to that of the page.

/** The service did not answer: no network, or nobody there. */
export class Unreachable extends Error {}

/** The service answered with an error (RFC 9457), or something before it did. */
export class Problem extends Error {
  constructor(status, { title = '', detail = '', errors = [] } = {}, retryAfter = null) {
    super(detail || title || `HTTP ${status}`);
    this.status = status;
    this.slug = '';
    this.errors = errors;
    /** Milliseconds, or null. */
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later. */
  get isPassing() {
    return (
      [408, 425, 429, 500, 502, 503, 504].includes(this.status) || this.slug === 'idempotency-key-in-flight'
    );
  }
}

const TIMEOUT_MS = 20_000;

export class Api {
  #fetch;

  /** An access token, in memory only. */
  token = null;

  /** Called before the error when the service wants another token; resolves to whether there is one. */
  renew = async () => false;

  constructor(fetch = globalThis.fetch.bind(globalThis)) {
    this.#fetch = fetch;
  }

  /** @returns {Promise<{status: number, data: any, etag: string | null, next: string | null}>} */
  async send(method, path, { body, headers = {} } = {}) {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const options = { method, headers: { accept: 'application/json', ...type, ...headers } };
    if (body !== undefined) options.body = JSON.stringify(body);
    const response = await this.open(path, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const data = response.status === 204 ? null : await json(response);
    return {
      status: response.status,
      data,
      etag: response.headers.get('etag'),
      next: nextPage(response.headers.get('link')),
    };
  }

  /** The response itself, for a stream. Throws unless it is a success. */
  async open(path, options) {
    let response = await this.#try(path, options);
    if (response.status === 401 && (await this.renew())) response = await this.#try(path, options);
    if (!response.ok) throw await problem(response);
    return response;
  }

  async #try(path, options) {
    const token = this.token ? { authorization: `Bearer ${this.token}` } : {};
    try {
      return await this.#fetch(path, { ...options, headers: { ...options.headers, ...token } });
    } catch (cause) {
      throw new Unreachable('', { cause });
    }
  }
}

export const todosPath = (list) => (list === null ? 'todos' : `lists/${list}/todos`);
export const todoPath = (list, id) => `${todosPath(list)}/${id}`;

async function json(response) {
  try {
    return await response.json();
  } catch (cause) {
    // The connection broke, or a gateway answered in the place of the service.
    throw new Unreachable('', { cause });
  }
}

async function problem(response) {
  const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
  const body = isJson ? await json(response) : {};
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  const found = new Problem(response.status, body, Number.isFinite(seconds) ? seconds * 1000 : null);
  found.slug = String(body.type ?? '').replace(/^.*\//, '');
  return found;
}

/** The query of the next page: its address is absolute, and may have another host than the page has. */
function nextPage(link) {
  const address = /<([^>]*)>;\s*rel="next"/.exec(link ?? '')?.[1];
  return address ? address.replace(/^[^?]*\?/, '') : null;
}
