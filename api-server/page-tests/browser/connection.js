// A page behind a gateway, whose connection a test cuts and repairs. What must hold then is in the tests.

import assert from 'node:assert/strict';

import { close, eventually, loaded, open, retitle, saved, type } from './chromium.js';
import { Gateway } from './gateway.js';

// Chromium logs failed requests, which are what these tests are about.
export const FAILED = [/Failed to load resource/, /net::ERR_/];

export class Connection {
  /** With `isOpen: false`, the page shows no todos, because it needs a login. Others are those of a context. */
  static async start(service, browser, { stream = true, isOpen = true, ...options } = {}) {
    const gateway = await Gateway.start(service);
    if (!stream) gateway.intercept = ({ path }) => (path === '/todos/events' ? { status: 404 } : null);
    const page = await open(browser, gateway.url, { expected: FAILED, ...options });
    const connection = new Connection(service, gateway, page);
    if (isOpen) {
      await connection.hasState(stream ? 'live' : 'polling');
      await loaded(page);
    }
    return connection;
  }

  constructor(service, gateway, page) {
    Object.assign(this, { service, gateway, page });
  }

  async stop() {
    await close(this.page);
    await this.gateway.stop();
  }

  hasState = (expected) =>
    eventually(async () =>
      assert.equal(await this.page.locator('.connection').getAttribute('data-state'), expected),
    );

  says = (pattern) =>
    eventually(async () => assert.match(await this.page.locator('.connection').textContent(), pattern));

  /** Cuts the page off. */
  cut = async () => {
    this.gateway.down = true;
    this.gateway.cut();
    this.gateway.server.closeAllConnections();
    await this.page.context().setOffline(true);
    await this.hasState('offline');
  };

  /** Lets the page reach the service again. */
  repair = async () => {
    this.gateway.down = false;
    await this.page.context().setOffline(false);
    await this.hasState('live');
  };

  /** A todo that was given another title without a network. Returns its number; the page stays cut off. */
  async editOffline(title, other) {
    await type(this.page, title);
    await saved(this.page);
    const { id } = (await this.service.todos()).find((todo) => todo.title === title);
    await this.cut();
    await retitle(this.page, title, other);
    return id;
  }

  /** The requests of a path, oldest first. */
  requestsOf = (start) => this.gateway.requests.filter(({ path }) => path.startsWith(start));
}
