// The words of the page in the language of the person. Pure, but for the language that was chosen.

import { en } from '../words/en.js';
import { es } from '../words/es.js';
import { pt } from '../words/pt.js';

export const TABLES = { en, es, pt };

let language = 'en';

/**
 * The first of the person's languages that the page has: `navigator.languages`, which is what Accept-Language
 * says.
 */
export function chooseLanguage(wanted) {
  const known = wanted.map((tag) => tag.toLowerCase().split('-')[0]).find((tag) => tag in TABLES);
  language = known ?? 'en';
  return language;
}

/** The words for a key, with `{name}` replaced by the values; those with a number have a form for it. */
export function t(key, values = {}) {
  return fill(form(key, values.n), values);
}

/** As `t`, but in two pieces, with the number between them left out. */
export function around(key, n) {
  return form(key, n)
    .split('{n}', 2)
    .map((part) => fill(part, {}));
}

function form(key, n) {
  const found = TABLES[language][key];
  if (typeof found === 'string') return found;
  if (n === 0 && found.zero) return found.zero;
  return found[new Intl.PluralRules(language).select(n)] ?? found.other;
}

function fill(text, values) {
  const shown = (value) => (typeof value === 'number' ? value.toLocaleString(language) : value);
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole));
}

/** `2026-11-20` as people write it. */
export function formatDate(date) {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }).format(
    new Date(`${date}T00:00:00Z`),
  );
}
