// What to do when a todo was changed here and elsewhere. Pure.

/** What a person sees of a todo; `order` is not worth a question. */
const FIELDS = ['title', 'completed', 'dueDate', 'tags', 'priority'];

export function same(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => value === b[index]);
  }
  return a === b;
}

/** The values of these fields. */
export function pick(todo, fields) {
  return Object.fromEntries(fields.map((field) => [field, todo[field]]));
}

/** The fields of `patch` that are different in `todo`. */
export function changes(todo, patch) {
  return Object.fromEntries(Object.entries(patch).filter(([field, value]) => !same(todo[field], value)));
}

/**
 * The fields that were changed elsewhere to something else than here. `base` is what the person saw.
 * @returns {string[]}
 */
export function clashes(patch, base, current) {
  return FIELDS.filter(
    (field) => field in patch && !same(current[field], base[field]) && !same(current[field], patch[field]),
  );
}

/** What was changed elsewhere since the person decided to delete it. */
export function changedSince(base, current) {
  return FIELDS.filter((field) => !same(base[field], current[field]));
}
