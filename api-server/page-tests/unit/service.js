// A service in memory, which answers as the API does. What is sent to it is up to the tests.

/** A service with the todos of one list. */
export class FakeService {
  todos = new Map();
  requests = [];
  /** What the next requests are answered instead; a function of the request. */
  fault = () => null;
  #id = 0;

  put(fields) {
    this.#id += 1;
    const id = fields.id ?? this.#id;
    const version = (this.todos.get(id)?.version ?? 0) + 1;
    const updatedAt = new Date(Date.UTC(2026, 0, 1) + this.#id).toISOString();
    const todo = {
      completed: false,
      order: null,
      dueDate: null,
      tags: [],
      priority: null,
      createdAt: updatedAt,
    };
    this.todos.set(id, { todo: { ...todo, ...this.todos.get(id)?.todo, ...fields, id, updatedAt }, version });
    return this.todos.get(id).todo;
  }

  fetch = async (path, { method, headers, body }) => {
    const request = { method, path, headers, body: body && JSON.parse(body) };
    this.requests.push(request);
    const fault = this.fault(request);
    if (fault instanceof Error) throw fault;
    return fault ?? this.#answer(request);
  };

  #answer({ method, path, headers, body }) {
    const id = Number(path.split('/')[1]);
    const entry = this.todos.get(id);
    if (method === 'POST') return respond(201, this.put(body), 1);
    if (!entry) return problem(404, 'todo-not-found');
    const match = headers['if-match'];
    if (match !== undefined && match !== `"${entry.version}"`) return problem(412, 'precondition-failed');
    if (method === 'DELETE') {
      this.todos.delete(id);
      return new Response(null, { status: 204 });
    }
    const todo = method === 'PATCH' ? this.put({ ...body, id }) : entry.todo;
    return respond(200, todo, this.todos.get(id).version);
  }
}

export const respond = (status, body, version) =>
  new Response(JSON.stringify(body), { status, headers: { etag: `"${version}"` } });
export const problem = (status, slug, headers = {}) =>
  new Response(JSON.stringify({ type: `https://todostack.dev/problems/${slug}`, status, detail: 'Why.' }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });
