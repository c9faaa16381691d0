import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTime, QuestionTime } from '#src/cli/get/question-time.js';

/** A clock that is set by hand, in ms. */
function clock() {
  let ms = 1000;
  return { now: () => ms, pass: (by: number) => (ms += by) };
}

test('only the time in which a question is open counts, once for several', () => {
  const { now, pass } = clock();
  const questions = new QuestionTime(now);
  pass(50);
  const first = questions.ask();
  pass(100);
  const second = questions.ask();
  pass(200);
  first();
  pass(400);
  second();
  pass(800);
  assert.deepEqual([questions.openMs, questions.idleMs], [700, 700]);
});

test('a question during which a file is received does not stop the time of all', () => {
  const { now, pass } = clock();
  const questions = new QuestionTime(now);
  const answered = questions.ask();
  pass(10);
  const received = questions.download();
  pass(100);
  assert.deepEqual([questions.openMs, questions.idleMs], [110, 10]);
  received();
  pass(1000);
  answered();
  assert.deepEqual([questions.openMs, questions.idleMs], [1110, 1010]);
});

/** "4.77 MiB 12.45 s 392 KiB/s" was the rate of a file whose user had thought for twelve seconds. */
test('the time of a file has that of questions before its reply left out, and no other', () => {
  const { now, pass } = clock();
  const questions = new QuestionTime(now);
  const before = questions.ask();
  pass(5000);
  const own = new FileTime(questions);
  pass(7000);
  before();
  pass(200);
  own.replied();
  const other = questions.ask();
  pass(3000);
  other();
  assert.equal(own.end(), 3.2);
});

test('a file that needed no reply has all questions left out', () => {
  const { now, pass } = clock();
  const questions = new QuestionTime(now);
  const own = new FileTime(questions);
  const answered = questions.ask();
  pass(4000);
  answered();
  pass(300);
  assert.equal(own.end(), 0.3);
});
