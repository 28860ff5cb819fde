// The words of the page are complete in all languages, and used.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { around, chooseLanguage, formatDate, t, TABLES } from '../../page/model/words.js';

const page = new URL('../../page/', import.meta.url);
const read = (name) => readFileSync(new URL(name, page), 'utf8');
const sources = readdirSync(page, { recursive: true }).filter(
  (name) => /\.js$/.test(name) && !name.startsWith('words'),
);
const html = read('index.html');

/** The texts of a word: one, or one for each number. */
const forms = (word) => (typeof word === 'string' ? { other: word } : word);
const holes = (text) => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();

test('every language has all words, with the same values in them', () => {
  for (const [language, table] of Object.entries(TABLES)) {
    assert.deepEqual(Object.keys(table), Object.keys(TABLES.en), language);
    for (const [key, word] of Object.entries(table)) {
      assert.deepEqual(Object.keys(forms(word)), Object.keys(forms(TABLES.en[key])), `${language} ${key}`);
      assert.deepEqual(holes(forms(word).other), holes(forms(TABLES.en[key]).other), `${language} ${key}`);
      for (const text of Object.values(forms(word))) assert.ok(text.trim(), `${language} ${key}`);
    }
  }
});

test('no language has the words of another one, but for those that are the same', () => {
  const equal = (a, b) => Object.keys(TABLES.en).filter((key) => t1(a, key) === t1(b, key));
  const t1 = (language, key) => forms(TABLES[language][key]).other;
  assert.deepEqual(equal('en', 'pt'), []);
  assert.deepEqual(equal('en', 'es'), []);
});

test('every word that the page uses is in the table, and every word of the table is used', () => {
  const text = [html, ...sources.map(read)].join('\n');
  const used = Object.keys(TABLES.en).filter((key) => new RegExp(`['"]${key}['"]|\\b${key}: `).test(text));
  assert.deepEqual(
    Object.keys(TABLES.en).filter((key) => !used.includes(key)),
    [],
  );
  const calls = [...text.matchAll(/\b(?:t|around)\('(\w+)'|data-(?:word|label|placeholder)="(\w+)"/g)];
  assert.ok(calls.length > 50);
  for (const [, call, attribute] of calls) assert.ok((call ?? attribute) in TABLES.en, call ?? attribute);
});

test('the HTML has the English words', () => {
  for (const [, key, text] of html.matchAll(/data-word="(\w+)"[^>]*>([^<]*)</g)) {
    if (text) assert.equal(text, forms(TABLES.en[key]).other, key);
  }
  for (const [, attribute, value, key] of html.matchAll(/(aria-label)="([^"]*)"[^>]*data-label="(\w+)"/g)) {
    assert.equal(value, TABLES.en[key], attribute);
  }
});

test('the first language of the person that the page has is chosen', () => {
  for (const [wanted, chosen] of [
    [['de-DE', 'pt-BR', 'en'], 'pt'],
    [['ES-419'], 'es'],
    [['fr'], 'en'],
    [[], 'en'],
  ]) {
    assert.equal(chooseLanguage(wanted), chosen);
  }
});

test('numbers have their forms', () => {
  chooseLanguage(['en']);
  assert.deepEqual(
    [0, 1, 2].map((n) => around('itemsLeft', n)),
    [
      ['', ' items left'],
      ['', ' item left'],
      ['', ' items left'],
    ],
  );
  assert.equal(t('offlineText', { n: 0 }), 'Offline. Changes are kept here and sent later.');
  chooseLanguage(['es']);
  assert.deepEqual(around('itemsLeft', 1), ['queda ', ' tarea']);
  assert.equal(t('deleted', { n: 1_000_000 }), '1.000.000 tareas eliminadas');
});

test('values are put in as they are', () => {
  chooseLanguage(['en']);
  assert.equal(t('move', { title: '{n} <b>$&' }), 'Move “{n} <b>$&”');
});

test('dates are written as people write them, whatever their time zone', () => {
  chooseLanguage(['en']);
  assert.equal(formatDate('2026-11-20'), 'Nov 20, 2026');
  chooseLanguage(['pt']);
  assert.match(formatDate('2026-11-20'), /20 de nov/);
});
