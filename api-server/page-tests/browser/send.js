// Requests as a program sends them, to a service or a gateway. What browsers send is in no test's hands.

/** A function that sends a request to the address that `base` returns, and fails unless it succeeds. */
export const sender =
  (base) =>
  async (method, path, body, headers = {}) => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await fetch(new URL(path, base()), {
      method,
      headers: { ...type, ...headers },
      body: text,
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`);
    return answer ? JSON.parse(answer) : null;
  };
