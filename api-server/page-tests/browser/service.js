// The real service under test, on SQLite or Postgres. What the page must do is in the tests.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { sender } from './send.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PROGRAM =
  process.env.TODOSTACK_API ??
  join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug/todostack-api');

const START_MS = 10_000;
const STOP_MS = 10_000;

/** SQLite, and Postgres where `DATABASE_URL` is a server on which databases can be created. */
export const DATABASES = ['sqlite', ...(process.env.DATABASE_URL ? ['postgres'] : [])];

/** An address of this machine that is not localhost. */
export function ownAddress() {
  const all = Object.values(networkInterfaces()).flat();
  const found = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (!found) throw new Error('this machine has no IPv4 address but localhost');
  return found.address;
}

export class Service {
  /** @param {{database?: string, env?: Record<string, string>, listen?: string}} options */
  static async start({ database = 'sqlite', env = {}, listen = '127.0.0.1:0' } = {}) {
    if (!existsSync(PROGRAM))
      throw new Error(`${PROGRAM} is missing: build it with cargo build -p todostack-api`);
    const folder = mkdtempSync(join(tmpdir(), 'todostack-page-'));
    const variables = {
      ...(database === 'postgres' ? freshPostgres() : {}),
      TODOSTACK_LOG_LEVEL: 'info',
      ...env,
    };
    const flags = [`--listen=${listen}`, '--operations-listen=127.0.0.1:0', '--drain-delay=0'];
    const child = spawn(PROGRAM, flags, { cwd: folder, env: variables, stdio: ['ignore', 'pipe', 'pipe'] });
    const service = new Service(child, folder, variables);
    try {
      service.url = `http://${await startedAt(child)}`;
    } catch (error) {
      await service.stop();
      throw error;
    }
    return service;
  }

  constructor(child, folder, variables) {
    Object.assign(this, { child, folder, variables });
    this.exited = new Promise((resolve) => child.once('exit', resolve));
    // Also when the tests end early.
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    this.exited.then(() => process.removeListener('exit', kill));
  }

  async stop() {
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await this.exited;
    clearTimeout(late);
    rmSync(this.folder, { recursive: true, force: true });
    if (this.variables.TEST_DATABASE)
      psql(`drop database if exists ${this.variables.TEST_DATABASE} with (force)`);
  }

  send = sender(() => this.url);

  todos = (list = null) => this.send('GET', list === null ? '/todos' : `/lists/${list}/todos`);

  create = (title, fields = {}) => this.send('POST', '/todos', { title, ...fields });

  /** Empties the service, so that tests can share it. */
  async clear() {
    await this.send('DELETE', '/todos');
    for (const { id } of await this.send('GET', '/lists')) await this.send('DELETE', `/lists/${id}`);
  }
}

/** The address that the service logs when it is ready. */
async function startedAt(child) {
  let errors = '';
  child.stderr.on('data', (text) => (errors += text));
  const signal = AbortSignal.timeout(START_MS);
  for await (const line of createInterface({ input: child.stdout, signal })) {
    const { message, listen } = JSON.parse(line);
    if (message !== 'Started') continue;
    child.stdout.resume();
    return listen;
  }
  throw new Error(`the service did not log that it started, in ${START_MS / 1000} s: ${errors}`);
}

function psql(statement, url = process.env.DATABASE_URL) {
  execFileSync('psql', [url, '--quiet', '--no-psqlrc', '--set=ON_ERROR_STOP=1', '--command', statement]);
}

/** The variables of a new database, migrated. */
function freshPostgres() {
  const name = `todostack_page_${process.pid}_${Date.now()}`;
  psql(`create database ${name}`);
  const url = new URL(process.env.DATABASE_URL);
  url.pathname = `/${name}`;
  execFileSync(PROGRAM, ['migrate'], { env: { DATABASE_URL: url.href, TODOSTACK_LOG_LEVEL: 'error' } });
  return { DATABASE_URL: url.href, TEST_DATABASE: name };
}
