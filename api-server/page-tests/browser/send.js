// Requests as a program sends them, to a service or a gateway. What browsers send is in no test's hands.

const DEADLINE_MS = 10_000;

/** A function that sends a request to the address that `base` returns, and fails unless it succeeds. */
export const sender =
  (base) =>
  async (method, path, body, headers = {}) => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const text = body === undefined ? undefined : JSON.stringify(body);
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const all = { ...type, ...headers };
    const sent = fetch(new URL(path, base()), { method, headers: all, body: text, signal });
    const response = await sent.catch((cause) => {
      throw new Error(`${method} ${path}: ${cause.message}`, { cause });
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`);
    return answer ? JSON.parse(answer) : null;
  };
