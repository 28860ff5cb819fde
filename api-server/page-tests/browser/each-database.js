// Runs tests on each database. Starts what they need, gives each of them an empty service or a user of its
// own, and ends all that was opened, also when a test fails. What the page must do is in the tests.

import { after, afterEach, before, beforeEach, describe } from 'node:test';

import { close, launch, open } from './chromium.js';
import { Connection, FAILED } from './connection.js';
import { Gateway } from './gateway.js';
import { Issuer } from './issuer.js';
import { DATABASES, Service } from './service.js';

/** Of a hook, which also ends what a failed test has left. */
const LIMIT = { timeout: 60_000 };

/**
 * As `describe` of Node: with or without options before the tests.
 * @param {string} title
 * @param {{login?: boolean, databases?: string[]}} options with `login`, the service wants tokens; when true,
 *   users can log in. `databases` is for what cannot differ between them
 * @param {(fixture: Fixture) => void} tests
 */
export function onEachDatabase(title, options, tests = options) {
  const { databases = DATABASES, login } = options;
  for (const database of databases) {
    describe(`${title} on ${database}`, () => {
      const fixture = new Fixture();
      before(() => fixture.start(database, { login }), LIMIT);
      beforeEach(() => fixture.begin(), LIMIT);
      afterEach(() => fixture.end(), LIMIT);
      after(() => fixture.stop(), LIMIT);
      tests(fixture);
    });
  }
}

/** What the tests of a file have in common. A test opens pages and gateways here, and closes none. */
export class Fixture {
  #ofTest = [];
  #ofAll = [];

  async start(database, { login } = {}) {
    try {
      let env = {};
      if (login !== undefined) {
        this.issuer = await this.#keep(this.#ofAll, Issuer.start());
        env = this.issuer.variables({ login });
      }
      this.service = await this.#keep(this.#ofAll, Service.start({ database, env }));
      this.browser = await launch();
      this.#ofAll.push(() => this.browser.close());
    } catch (error) {
      // No hook runs after one that failed.
      await this.stop();
      throw error;
    }
  }

  async begin() {
    if (this.issuer) this.issuer.reset();
    else await this.service.clear();
  }

  end = () => closeAll(this.#ofTest);

  stop = () => closeAll([...this.#ofAll, ...this.#ofTest]);

  /** Opens a page; `address` is relative to that of the service. */
  async open(address = '', options = {}) {
    const page = await open(this.browser, new URL(address, this.service.url).href, options);
    this.#ofTest.push(() => close(page));
    return page;
  }

  gateway = (options) => this.#keep(this.#ofTest, Gateway.start(this.service, options));

  /** Another service on SQLite. */
  another = (options) => this.#keep(this.#ofTest, Service.start(options));

  /** A page behind a gateway, without the stream of changes if that is not wanted. */
  async connect({ stream = true, ...options } = {}) {
    const gateway = await this.gateway();
    if (!stream) gateway.intercept = ({ path }) => (path === '/todos/events' ? { status: 404 } : null);
    const page = await this.open(gateway.url, { expected: FAILED, ...options });
    const connection = new Connection(this.service, gateway, page);
    await connection.isReady(stream ? 'live' : 'polling');
    return connection;
  }

  async #keep(closers, starting) {
    const started = await starting;
    closers.push(() => started.stop());
    return started;
  }
}

/** Closes all, newest first, whatever fails. */
async function closeAll(closers) {
  const errors = [];
  while (closers.length > 0)
    await closers
      .pop()()
      .catch((error) => errors.push(error));
  if (errors.length > 0) throw new AggregateError(errors, errors.map(({ message }) => message).join('\n'));
}
