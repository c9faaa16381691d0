// A program that connects to an origin with the key PIN as far as its user is concerned: it asks whether to trust the key.
//     ask-program.js STATE WHERE PIN SECONDS
import { parseLocation } from 'viaduct';
import { askOnTerminal } from '#src/cli/terminal/ask.js';
import { listenForInterruption } from '#src/cli/terminal/interruption.js';
import { printError } from '#src/cli/terminal/print.js';
import { asViaductError } from '#src/errors.js';
import { HostTrust } from '#src/identity/host-trust.js';

const [stateFolder = '', where = '', pin = '', seconds = ''] = process.argv.slice(2);
const { stderr } = process;
const interruption = listenForInterruption('');
const trust = new HostTrust({
  stateFolder,
  ask: (question) =>
    askOnTerminal(question, {
      stderr,
      timeoutMs: Number(seconds) * 1000,
      signal: interruption.signal,
      pause: () => {
        stderr.write('(paused)\n');
        return () => stderr.write('(resumed)\n');
      },
    }),
  notify: (lines) => stderr.write(lines),
});
try {
  await trust.check(parseLocation(where).route, pin);
  process.exit(0);
} catch (error) {
  process.exit(interruption.exitCode(printError(asViaductError(error), stderr)));
}
