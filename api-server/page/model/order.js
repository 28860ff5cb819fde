// The order of todos, and how one is moved with as few changes as possible. Pure.
//
// A todo without `order` stands where its time of creation puts it, so that a todo can be moved between two
// others by one change of its own `order`.

/** Between two todos that were created one millisecond apart. */
const STEP = 1000;

export function position(todo) {
  return todo.order ?? Date.parse(todo.createdAt) * STEP;
}

export function compare(a, b) {
  return position(a) - position(b) || numberOf(a.id) - numberOf(b.id);
}

/** Those without a number yet come last. */
const numberOf = (id) => (typeof id === 'number' ? id : Number.MAX_SAFE_INTEGER);

/**
 * The changes that put a todo at an index of `todos`, which are in order.
 * @returns {{id: unknown, order: number}[]}
 */
export function moveTo(todos, id, index) {
  const others = todos.filter((todo) => todo.id !== id);
  const [before, after] = [others[index - 1], others[index]];
  if (!before && !after) return [];
  const low = before ? position(before) : position(after) - 2 * STEP;
  const high = after ? position(after) : low + 2 * STEP;
  const middle = low + Math.floor((high - low) / 2);
  if (low < middle && middle < high) return [{ id, order: middle }];
  // No number is free between the two: those after move up, until there is room.
  let order = low + STEP;
  const changes = [{ id, order }];
  for (const todo of others.slice(index)) {
    if (position(todo) > order) break;
    order += STEP;
    changes.push({ id: todo.id, order });
  }
  return changes;
}

/** The `order` of a new todo at the end; `undefined` where its time of creation is enough. */
export function orderAtEnd(todos, now) {
  const last = Math.max(...todos.map(position), 0);
  return last >= now * STEP ? Math.min(last + STEP, Number.MAX_SAFE_INTEGER) : undefined;
}
