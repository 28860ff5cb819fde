// A gateway before the service: puts it below a prefix, can be cut off, answers in its place, and has a
// stream of changes of its own, which can be cut where a test wants it.

import { createServer, request as forward } from 'node:http';

import { sender } from './send.js';

export class Gateway {
  /** @param {{url: string}} service */
  static async start(service, { prefix = '' } = {}) {
    const gateway = new Gateway(service, prefix);
    await new Promise((resolve) => gateway.server.listen(0, '127.0.0.1', resolve));
    gateway.origin = `http://127.0.0.1:${gateway.server.address().port}`;
    gateway.url = `${gateway.origin}${prefix}/`;
    return gateway;
  }

  /** Requests that were answered, oldest first. */
  requests = [];
  /** While true, connections are cut. */
  down = false;
  /** Answers a request in the place of the service, if it returns something. */
  intercept = () => null;
  #streams = new Set();

  constructor(service, prefix) {
    Object.assign(this, { service, prefix });
    this.server = createServer((request, response) => this.#take(request, response));
  }

  async stop() {
    this.cut();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  /** What somebody else does through this gateway. */
  send = sender(() => this.url);

  #take(request, response) {
    if (this.down || !request.url.startsWith(this.prefix)) {
      if (this.down) request.socket.destroy();
      else response.writeHead(404).end();
      return;
    }
    const path = request.url.slice(this.prefix.length) || '/';
    const answer = this.intercept({ method: request.method, path, headers: request.headers });
    if (answer) this.#answer(request, response, path, answer);
    else this.#forward(request, response, path);
  }

  #note(request, path, status, started) {
    this.requests.push({ method: request.method, path, headers: request.headers, status, started });
  }

  #answer(request, response, path, { status, body, headers = {}, cut = false }) {
    request.resume();
    this.#note(request, path, status);
    if (cut) return void request.socket.destroy();
    const type = { 'content-type': 'application/problem+json' };
    response
      .writeHead(status, { ...type, ...headers })
      .end(JSON.stringify(body ?? { status, detail: 'Intercepted.' }));
  }

  #forward(request, response, path) {
    const target = new URL(path, this.service.url);
    const headers = { ...request.headers, 'x-forwarded-host': request.headers.host };
    if (this.prefix) headers['x-forwarded-prefix'] = this.prefix;
    const upstream = forward(target, { method: request.method, headers }, (answer) => {
      if (/^text\/event-stream/.test(answer.headers['content-type'] ?? '')) {
        this.#note(request, path, answer.statusCode);
        this.#pass(answer, response);
        return;
      }
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => {
        const body = Buffer.concat(chunks);
        this.#note(request, path, answer.statusCode);
        if (this.losing?.(request.method, path)) return void this.#lose(response, answer, body);
        response.writeHead(answer.statusCode, answer.headers).end(body);
      });
    });
    upstream.on('error', () => request.socket.destroy());
    // Nobody waits for the answer any more.
    response.on('close', () => response.writableFinished || upstream.destroy());
    request.pipe(upstream);
  }

  /**
   * Cuts the connection in the middle of the answer to what is done already. Before its head, Chromium would
   * send the request again by itself, on another connection.
   */
  #lose(response, { statusCode, headers }, body) {
    response.writeHead(statusCode, { ...headers, 'content-length': body.length + 1 });
    response.write(body, () => response.destroy());
  }

  /** Passes a stream on as it comes. */
  #pass(answer, response) {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
    this.#streams.add(response);
    response.on('close', () => {
      answer.destroy();
      this.#streams.delete(response);
    });
  }

  /** Sends an event on all streams that the service has not sent. */
  emit(event, data) {
    for (const stream of this.#streams) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Ends all streams, in the middle of a line. */
  cut() {
    for (const stream of this.#streams) {
      stream.write('data: {"half');
      stream.destroy();
    }
  }

  get streams() {
    return this.#streams.size;
  }
}
