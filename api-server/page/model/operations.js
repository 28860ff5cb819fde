// Changes that the service has not confirmed yet: what the person sees of them, and which may be sent. Pure.
//
// An operation has a `kind`, the `target` that it changes (a number, or a text for what has no number yet),
// the `list` of a todo, and a `key`, by which operations are in order. `after` is the key of one that must
// succeed before.

import { compare } from './order.js';

export const NEW = { completed: false, order: null, dueDate: null, tags: [], priority: null };

/**
 * The todos of a list with the operations applied, in order.
 * @param {Iterable<{todo: object, list: unknown}>} confirmed
 */
export function applyToTodos(confirmed, operations, list) {
  const todos = new Map();
  for (const entry of confirmed) {
    if (entry.list === list) todos.set(entry.todo.id, entry.todo);
  }
  for (const operation of operations.filter((operation) => operation.list === list)) {
    applyOne(todos, operation);
  }
  return [...todos.values()].sort(compare);
}

function applyOne(todos, { kind, target, body, patch, at }) {
  const now = () => new Date(at).toISOString();
  if (kind === 'create') {
    todos.set(target, { ...NEW, createdAt: now(), ...body, id: target, unsent: true });
  } else if (kind === 'update' && todos.has(target)) {
    todos.set(target, { ...todos.get(target), ...patch, unsent: true });
  } else if (kind === 'delete') {
    todos.delete(target);
  }
}

/** The lists with the operations applied, oldest first. */
export function applyToLists(confirmed, operations) {
  const lists = new Map([...confirmed].map((list) => [list.id, list]));
  for (const { kind, target, body } of operations) {
    if (kind === 'create-list') lists.set(target, { ...body, id: target });
    if (kind === 'rename-list' && lists.has(target)) lists.set(target, { ...lists.get(target), ...body });
    if (kind === 'delete-list') lists.delete(target);
  }
  return [...lists.values()];
}

/** Operations that touch the same thing are sent one after the other. */
function waitsFor(operation, earlier) {
  return (
    operation.after === earlier.key ||
    operation.target === earlier.target ||
    operation.list === earlier.target ||
    // New todos are in the order of their creation, unless they have an order of their own.
    (isAppended(operation) && isAppended(earlier) && operation.list === earlier.list)
  );
}

const isAppended = ({ kind, body }) => kind === 'create' && body.order == null;

/**
 * The operations that may be sent now. `busy` and `stopped` are keys: in flight, and waiting for a person.
 */
export function sendable(operations, busy, stopped) {
  return operations.filter(
    (operation, index) =>
      !busy.has(operation.key) &&
      !stopped.has(operation.key) &&
      !operations.slice(0, index).some((earlier) => waitsFor(operation, earlier)),
  );
}

/** An operation and those that make no sense without it. */
export function withDependents(operations, failed) {
  const dropped = [failed];
  for (const operation of operations) {
    const needs = (one) =>
      operation.after === one.key ||
      (one.kind.startsWith('create') && (operation.target === one.target || operation.list === one.target));
    if (operation.key !== failed.key && dropped.some(needs)) dropped.push(operation);
  }
  return dropped;
}

/** The operation with the number that a new todo or list was given. */
export function renamed(operation, from, to) {
  const { target, list } = operation;
  if (target !== from && list !== from) return operation;
  return { ...operation, target: target === from ? to : target, list: list === from ? to : list };
}
