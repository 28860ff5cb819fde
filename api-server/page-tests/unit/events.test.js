// The format of Server-Sent Events.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EventParser } from '../../page/model/events.js';

const parse = (...pieces) => {
  const parser = new EventParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

test('a block is an event with its id', () => {
  assert.deepEqual(parse('retry: 1000\n\nid: 7\nevent: todo\ndata: {"a":1}\n\n'), [
    { event: 'message', data: null, retry: 1000 },
    { event: 'todo', data: '{"a":1}', id: '7' },
  ]);
});

test('an id without data is the position of a stream that has just begun', () => {
  assert.deepEqual(parse('id: 12-3\n\n'), [{ event: 'message', data: null, id: '12-3' }]);
});

test('a stream may be cut anywhere', () => {
  const text = '\uFEFF: hello\r\nid: 1\r\nevent: list\r\ndata: é 😀\r\n\r\ndata\n\n:\n\n';
  const whole = parse(text);
  assert.deepEqual(whole, [
    { event: 'list', data: 'é 😀', id: '1' },
    { event: 'message', data: '' },
  ]);
  for (let at = 0; at <= text.length; at += 1) {
    assert.deepEqual(parse(text.slice(0, at), text.slice(at)), whole, `cut at ${at}`);
  }
  assert.deepEqual(parse(...text), whole);
});

test('several lines of data are one text', () => {
  assert.deepEqual(parse('data: a\ndata:b\ndata:  c\n\n'), [{ event: 'message', data: 'a\nb\n c' }]);
});

test('comments, unknown fields and an id with NUL are ignored', () => {
  assert.deepEqual(parse(': heartbeat\n\nfoo: bar\nid: a\0b\ndata: x\n\n'), [
    { event: 'message', data: 'x' },
  ]);
});

test('an event that has not ended is not there yet', () => {
  assert.deepEqual(parse('event: todo\ndata: {"a":'), []);
});
