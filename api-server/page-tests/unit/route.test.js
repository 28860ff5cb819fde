// The address of what is shown, and which todos that are.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addDays, formatRoute, isFound, isInFilter, localDate, parseRoute } from '../../page/model/route.js';

const EVERYTHING = { filter: 'all', list: null, text: '', tag: '', priority: '', due: '' };
const TODO = {
  title: 'Café com leite',
  completed: false,
  tags: ['casa'],
  priority: 'high',
  dueDate: '2026-11-20',
};

test('the routes of TodoMVC are those of the filters', () => {
  for (const [hash, filter] of [
    ['', 'all'],
    ['#/', 'all'],
    ['#/active', 'active'],
    ['#!/completed', 'completed'],
  ]) {
    assert.deepEqual(parseRoute(hash), { ...EVERYTHING, filter });
  }
  assert.equal(formatRoute(EVERYTHING), '#/');
});

test('an address is read as it was written', () => {
  for (const route of [
    { ...EVERYTHING, filter: 'active', list: 3 },
    { ...EVERYTHING, list: 'L-00ff' },
    { ...EVERYTHING, text: 'a&b=c #?%', tag: 'ação, 50 %', priority: 'low', due: 'week' },
  ]) {
    assert.deepEqual(parseRoute(formatRoute(route)), route);
  }
});

test('what is no filter, list, priority or due date is left out', () => {
  for (const hash of [
    '#/nope',
    '#/?list=0',
    '#/?list=-1',
    '#/?list=1e3',
    '#/?priority=urgent',
    '#/?due=x',
    '#?list=',
  ]) {
    assert.deepEqual(parseRoute(hash), EVERYTHING, hash);
  }
});

test('a search finds titles and tags, whatever the case and the accents', () => {
  for (const [text, found] of [
    ['CAFE', true],
    ['café', true],
    ['Casa', true],
    ['tea', false],
  ]) {
    assert.equal(isFound(TODO, { ...EVERYTHING, text }, '2026-11-20'), found, text);
  }
});

test('a tag and a priority are compared as a whole', () => {
  assert.ok(isFound(TODO, { ...EVERYTHING, tag: 'casa', priority: 'high' }, '2026-11-20'));
  assert.ok(!isFound(TODO, { ...EVERYTHING, tag: 'cas' }, '2026-11-20'));
  assert.ok(!isFound(TODO, { ...EVERYTHING, priority: 'low' }, '2026-11-20'));
});

test('a due date is today, soon or past, by the day of the person', () => {
  const due = (dueDate, due, completed = false) =>
    isFound({ ...TODO, dueDate, completed }, { ...EVERYTHING, due }, '2026-11-20');
  assert.ok(due('2026-11-20', 'today') && !due('2026-11-21', 'today'));
  assert.ok(due('2026-11-26', 'week') && !due('2026-11-27', 'week') && !due('2026-11-19', 'week'));
  assert.ok(
    due('2026-11-19', 'overdue') && !due('2026-11-20', 'overdue') && !due('2026-11-19', 'overdue', true),
  );
  assert.ok(due(null, 'none') && !due(null, 'today') && !due('2026-11-19', 'none'));
});

test('days are added over the ends of months and years', () => {
  assert.equal(addDays('2026-12-29', 6), '2027-01-04');
  assert.equal(addDays('2028-02-28', 1), '2028-02-29');
});

test('the day is that of the place where the person is', () => {
  assert.equal(localDate(new Date(2026, 0, 5, 23, 59)), '2026-01-05');
});

test('a filter shows the todos of its state', () => {
  assert.deepEqual(
    ['all', 'active', 'completed'].map((filter) => isInFilter(TODO, filter)),
    [true, true, false],
  );
});
