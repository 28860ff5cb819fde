// What is shown, as it stands in the fragment of the address: `#/active?list=3&q=milk`. Pure.

export const FILTERS = ['all', 'active', 'completed'];
export const DUES = ['overdue', 'today', 'week', 'none'];
export const PRIORITIES = ['high', 'medium', 'low'];

const PATHS = { all: '/', active: '/active', completed: '/completed' };

/** @param {string} hash */
export function parseRoute(hash) {
  // `#!/` is allowed too, by TodoMVC's specification.
  const [path, query = ''] = hash.replace(/^#!?/, '').split('?', 2);
  const filter = FILTERS.find((filter) => PATHS[filter] === path) ?? 'all';
  const values = new URLSearchParams(query);
  const oneOf = (name, allowed) => (allowed.includes(values.get(name)) ? values.get(name) : '');
  return {
    filter,
    list: parseList(values.get('list')),
    text: values.get('q') ?? '',
    tag: values.get('tag') ?? '',
    priority: oneOf('priority', PRIORITIES),
    due: oneOf('due', DUES),
  };
}

/** A number, or the text of a list that has no number yet; `null` is the default list. */
function parseList(text) {
  if (/^[1-9][0-9]{0,14}$/.test(text ?? '')) return Number(text);
  return text?.startsWith('L-') ? text : null;
}

export function formatRoute({ filter, list, text, tag, priority, due }) {
  const named = { list, q: text, tag, priority, due };
  const values = new URLSearchParams(Object.entries(named).filter(([, value]) => value));
  return `#${PATHS[filter]}${values.size > 0 ? `?${values}` : ''}`;
}

/** Whether something beyond the three filters is set. */
export const isNarrowed = ({ text, tag, priority, due }) => Boolean(text || tag || priority || due);

/**
 * Whether a todo is among those that the search leaves, whatever the filter. `today` is a date, `2026-11-20`.
 */
export function isFound(todo, { text, tag, priority, due }, today) {
  return (
    (!text || [todo.title, ...todo.tags].some((own) => plain(own).includes(plain(text)))) &&
    (!tag || todo.tags.includes(tag)) &&
    (!priority || todo.priority === priority) &&
    (!due || isDue(todo, due, today))
  );
}

export function isInFilter(todo, filter) {
  return filter === 'all' || todo.completed === (filter === 'completed');
}

function isDue({ dueDate, completed }, due, today) {
  switch (due) {
    case 'none':
      return !dueDate;
    case 'overdue':
      return Boolean(dueDate) && dueDate < today && !completed;
    case 'today':
      return dueDate === today;
    default:
      return Boolean(dueDate) && dueDate >= today && dueDate <= addDays(today, 6);
  }
}

export function addDays(date, days) {
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + days);
  return day.toISOString().slice(0, 10);
}

/** The date of the person, not that of Greenwich. */
export function localDate(now) {
  const two = (number) => String(number).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** Without case and accents: `café` is found by `CAFE`. */
function plain(text) {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
