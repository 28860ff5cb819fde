// A page behind a gateway, whose connection a test cuts and repairs. What must hold then is in the tests.

import assert from 'node:assert/strict';

import { eventually, loaded, retitle, saved, type } from './chromium.js';

// Chromium logs failed requests, which are what these tests are about.
export const FAILED = [/Failed to load resource/, /net::ERR_/];

export class Connection {
  constructor(service, gateway, page) {
    Object.assign(this, { service, gateway, page });
  }

  /** Awaits that the page follows the service, and has loaded its todos. */
  async isReady(state = 'live') {
    await this.hasState(state);
    await loaded(this.page);
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
