import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { parseLocation } from 'viaduct';
import { HostTrust, type HostTrustOptions } from '#src/identity/host-trust.js';
import { KnownHosts } from '#src/identity/known-hosts.js';
import { checkTrust, readAnswer } from '#src/identity/trust.js';
import { failureOf } from '../../support/failures.js';
import { tempFolder } from '../../support/temp.js';

const pinOf = (byte: number): string => `sha256//${Buffer.alloc(32, byte).toString('base64')}`;
const [A, B, C] = [pinOf(1), pinOf(2), pinOf(3)];
const WHERE = 'h1:12000/@10.0.0.5:11000';
const { route } = parseLocation(WHERE);

/** A state folder, what is printed, and the answers that are typed. */
function prepare(t: TestContext, text: string | undefined, answers: readonly string[] = []) {
  const stateFolder = tempFolder(t);
  const path = join(stateFolder, 'known_hosts');
  if (text !== undefined) writeFileSync(path, text, { mode: 0o600 });
  const left = [...answers];
  const printed: string[] = [];
  const trust = (options: Partial<HostTrustOptions> = {}): HostTrust =>
    new HostTrust({
      stateFolder,
      ask: async (question) => {
        printed.push(question);
        const answer = left.shift();
        if (answer !== undefined) printed.push(`${answer}\n`);
        return answer;
      },
      notify: (lines) => void printed.push(lines),
      ...options,
    });
  /** The folder of the test stands as STATE. */
  const shown = (output: string): string => output.replaceAll(stateFolder, '/STATE');
  return {
    stateFolder,
    trust,
    shown,
    printed: () => shown(printed.join('')),
    saved: () => readFileSync(path, 'utf8'),
  };
}

describe('the decision', () => {
  const known = new KnownHosts('k', `h:1 ${A}\nh:1 ${B}\nx:1 ${A}\n`);
  const decide = (name: string, presented: string, pins: readonly string[] = []) =>
    checkTrust({ pins, known, name, presented });

  test('by known_hosts: any of the pins of a name is trusted', () => {
    assert.deepEqual(decide('h:1', A), { kind: 'trusted' });
    assert.deepEqual(decide('h:1', B), { kind: 'trusted' });
    assert.deepEqual(decide('h:1', C), { kind: 'changed', known: known.lookUp('h:1') });
    assert.deepEqual(decide('x:1', B), { kind: 'changed', known: known.lookUp('x:1') });
    assert.deepEqual(decide('y:1', A), { kind: 'unknown', otherNames: ['h:1', 'x:1'] });
    assert.deepEqual(decide('y:1', C), { kind: 'unknown', otherNames: [] });
  });

  test('by pins alone, if there are any', () => {
    assert.deepEqual(decide('h:1', C, [B, C]), { kind: 'trusted' });
    assert.deepEqual(decide('h:1', A, [C]), { kind: 'wrong-pin', expected: [C] });
    assert.deepEqual(decide('y:1', A, [C]), { kind: 'wrong-pin', expected: [C] });
  });

  test('answers', () => {
    for (const [text, meaning] of [
      ['yes', 'yes'],
      [' YES\r', 'yes'],
      ['no', 'no'],
      [A, 'yes'],
      [` ${A} `, 'yes'],
      [B, 'wrong-pin'],
      ['', 'unclear'],
      ['y', 'unclear'],
      ['yes please', 'unclear'],
      [A.slice(0, -1), 'unclear'],
    ] as const)
      assert.equal(readAnswer(text, A), meaning, text);
  });
});

const QUESTION = `The key of the host is not known.
  host    ${WHERE}
  route   ${WHERE}
  pin     ${A}
Compare the pin with the output of viaduct identity on the host.
Trust this key and save it to /STATE/known_hosts (yes/no/pin)? `;
const SAVED = `viaduct: saved the pin of ${WHERE} to /STATE/known_hosts\n`;

describe('an unknown key', () => {
  test('is trusted and saved after yes, and then known', async (t) => {
    const { trust, printed, saved } = prepare(t, undefined, ['yes']);
    await trust().check(route, A);
    assert.equal(printed(), `${QUESTION}yes\n${SAVED}`);
    assert.equal(saved(), `${WHERE} ${A}\n`);
    await trust().check(route, A);
  });

  test('is trusted after its pin was typed', async (t) => {
    const { trust, printed, saved } = prepare(t, '', ['', 'what?', A]);
    await trust().check(route, A);
    const again = 'Please type yes, no or the pin: ';
    assert.equal(printed(), `${QUESTION}\n${again}what?\n${again}${A}\n${SAVED}`);
    assert.equal(saved(), `${WHERE} ${A}\n`);
  });

  test('is refused after no, or after another pin', async (t) => {
    for (const [answer, code, message] of [
      ['no', 'UNKNOWN_HOST_KEY', 'presented a key that you did not accept'],
      [B, 'WRONG_PIN', `presented a key with the pin ${A}, expected ${B}`],
    ] as const) {
      const { trust, printed, saved } = prepare(t, '', [answer]);
      const failure = await failureOf(trust().check(route, A));
      assert.equal(failure.code, code);
      assert.equal(failure.message, `hop 2 (10.0.0.5:11000) ${message}`);
      assert.deepEqual([failure.hopNumber, failure.hopAddress], [2, '10.0.0.5:11000']);
      assert.equal(printed(), `${QUESTION}${answer}\n`);
      assert.equal(saved(), '');
    }
  });

  test('that is known under other names: the question lists them', async (t) => {
    const names = Array.from({ length: 7 }, (_, index) => `h${index}.example:1`);
    const { trust, printed } = prepare(t, names.map((name) => `${name} ${A}\n`).join(''), ['no']);
    await failureOf(trust().check(route, A));
    const listed = names.slice(0, 5).map((name) => `  This key is known under another name: ${name}\n`);
    assert.ok(printed().includes(`  pin     ${A}\n${listed.join('')}  and under 2 more\nCompare`), printed());
  });

  test('without a terminal fails with the command that accepts it', async (t) => {
    const { trust, shown } = prepare(t, '');
    const failure = await failureOf(trust().check(route, A));
    assert.equal(failure.code, 'UNKNOWN_HOST_KEY');
    assert.equal(
      failure.message,
      `hop 2 (10.0.0.5:11000) presented an unknown key; if its pin is right, run: viaduct known add ${WHERE} ${A} (or use --pin or --accept-new)`,
    );
    const other = prepare(t, `x.example:1 ${A}\n`);
    const { message } = await failureOf(
      other.trust({ stateOption: "it's here" }).check([{ host: '::1', port: 9 }], A),
    );
    assert.equal(
      shown(message),
      `hop 1 ([::1]:9) presented an unknown key, known under another name (x.example:1); if its pin is right, run: viaduct known add --state 'it'\\''s here' '[::1]:9' ${A} (or use --pin or --accept-new)`,
    );
  });

  test('is saved without a question if new keys are accepted', async (t) => {
    const { trust, printed, saved } = prepare(t, undefined);
    await trust({ acceptNew: true }).check(route, A);
    assert.equal(printed(), SAVED);
    assert.equal(saved(), `${WHERE} ${A}\n`);
  });

  test('is asked about once, however many connections see it, and one question at a time', async (t) => {
    const { trust, saved } = prepare(t, '');
    let [asked, open] = [0, 0];
    const hosts = trust({
      ask: async (question) => {
        asked += 1;
        open += 1;
        assert.equal(open, 1);
        await setImmediate();
        open -= 1;
        // Which host is first depends on the file system.
        return question.includes(`host    ${WHERE}\n`) ? 'yes' : 'no';
      },
    });
    const other = parseLocation('h2:1/@10.0.0.5:11000').route;
    const results = await Promise.allSettled([
      ...Array.from({ length: 4 }, () => hosts.check(route, A)),
      ...Array.from({ length: 4 }, () => hosts.check(other, A)),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      [...Array<string>(4).fill('fulfilled'), ...Array<string>(4).fill('rejected')],
    );
    assert.equal(asked, 2);
    assert.equal(saved(), `${WHERE} ${A}\n`);
  });

  test('of a private address behind another route is another host', async (t) => {
    const { trust, saved } = prepare(t, `${WHERE} ${A}\n`, []);
    const other = parseLocation('h2:1/@10.0.0.5:11000').route;
    await trust({ acceptNew: true }).check(other, B);
    assert.equal(saved(), `${WHERE} ${A}\nh2:1/@10.0.0.5:11000 ${B}\n`);
  });

  test('that another process gave another pin in the meantime is a changed one', async (t) => {
    const { trust, stateFolder } = prepare(t, '');
    const meanwhile = trust({
      ask: async () => {
        writeFileSync(join(stateFolder, 'known_hosts'), `${WHERE} ${B}\n`);
        return 'yes';
      },
    });
    assert.equal((await failureOf(meanwhile.check(route, A))).code, 'CHANGED_HOST_KEY');
  });
});

const CHANGED = `@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@       WARNING: THE KEY OF THE HOST HAS CHANGED!         @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Someone may be impersonating the host (man-in-the-middle attack).
It is also possible that the host has a new key.
  host       ${WHERE}
  known      ${A} (/STATE/known_hosts:2)
  known      ${C} (/STATE/known_hosts:3)
  presented  ${B}
No request was sent. Ask the administrator of the host for its pin (viaduct identity).
If it is the presented one, remove the known one and try again:
  viaduct known remove ${WHERE}
`;

test('a changed key fails with a warning, also if new keys are accepted', async (t) => {
  const text = `# lab\n${WHERE} ${A}\n${WHERE} ${C} spare\n`;
  for (const acceptNew of [false, true]) {
    const { trust, printed, saved, shown } = prepare(t, text, ['yes']);
    const failure = await failureOf(trust({ acceptNew }).check(route, B));
    assert.equal(failure.code, 'CHANGED_HOST_KEY');
    assert.equal(
      shown(failure.message),
      'hop 2 (10.0.0.5:11000) presented a key that is not the known one (/STATE/known_hosts:2)',
    );
    assert.equal(printed(), CHANGED);
    assert.equal(saved(), text);
  }
});

test('pins decide without known_hosts, which may be unreadable and is not written', async (t) => {
  const { trust, printed, saved } = prepare(t, 'garbage', ['yes']);
  await trust({ pins: [B, A] }).check(route, A);
  const failure = await failureOf(trust({ pins: [B, C], acceptNew: true }).check(route, A));
  assert.equal(failure.code, 'WRONG_PIN');
  assert.equal(
    failure.message,
    `hop 2 (10.0.0.5:11000) presented a key with the pin ${A}, expected ${B} or ${C}`,
  );
  assert.equal((await failureOf(trust().check(route, A))).code, 'READ_FAILED');
  assert.equal(printed(), '');
  assert.equal(saved(), 'garbage');
});
