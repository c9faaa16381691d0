import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Abort } from '#src/signal.js';

for (const [what, make] of [
  ['Abort', () => new Abort()],
  // What it stands for.
  ['AbortController', controlled],
] as const) {
  describe(what, () => {
    test('tells each listener once, with the reason of the first abort', () => {
      const abort = make();
      let heard = 0;
      const listener = (): void => void (heard += 1);
      abort.addEventListener('abort', listener);
      abort.addEventListener('abort', listener);
      assert.deepEqual([abort.aborted, abort.reason], [false, undefined]);
      abort.throwIfAborted();
      abort.abort('why');
      abort.abort('again');
      assert.deepEqual([heard, abort.aborted, abort.reason], [1, true, 'why']);
      assert.throws(
        () => abort.throwIfAborted(),
        (error) => error === 'why',
      );
    });

    test('does not tell a listener that was removed, by another listener too', () => {
      const abort = make();
      const heard: string[] = [];
      const second = (): void => void heard.push('second');
      const third = (): void => void heard.push('third');
      abort.addEventListener('abort', () => {
        heard.push('first');
        abort.removeEventListener('abort', second);
      });
      abort.addEventListener('abort', second);
      abort.addEventListener('abort', third);
      abort.abort('why');
      assert.deepEqual(heard, ['first', 'third']);
    });

    test('has a reason without one', () => {
      const abort = make();
      abort.abort();
      assert.ok(abort.reason instanceof DOMException);
      assert.equal(abort.reason.name, 'AbortError');
    });
  });
}

function controlled(): Pick<Abort, keyof Abort> {
  const control = new AbortController();
  const { signal } = control;
  return {
    get aborted() {
      return signal.aborted;
    },
    get reason(): unknown {
      return signal.reason;
    },
    throwIfAborted: () => signal.throwIfAborted(),
    addEventListener: (type, listener) => signal.addEventListener(type, listener),
    removeEventListener: (type, listener) => signal.removeEventListener(type, listener),
    abort: (reason) => control.abort(reason),
  };
}
