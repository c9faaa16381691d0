import type { ErrorCode } from '../errors.js';

interface Outcome {
  /** Process exit code; curl's number where curl has one. */
  readonly exit: number;
  /** What the user can do, as a clause after the message; missing if the message is enough. */
  readonly hint?: string;
}

const OUTCOMES: Readonly<Record<ErrorCode, Outcome>> = {
  USAGE: { exit: 2, hint: 'see viaduct --help' },
  BAD_ROUTE: { exit: 2 },
  BAD_CONFIG: { exit: 2 },
  TOO_MANY_HOPS: { exit: 2 },
  MESSAGE_TOO_LONG: { exit: 2, hint: 'shorten the file name or the route' },
  BAD_MESSAGE: { exit: 2 },
  MESSAGE_TIMEOUT: { exit: 28 },
  BAD_REQUEST: { exit: 2 },
  METHOD_NOT_ALLOWED: { exit: 22 },
  WRONG_HOST: { exit: 22 },
  PRECONDITION_FAILED: { exit: 22 },
  RANGE_NOT_SATISFIABLE: { exit: 22 },
  URI_TOO_LONG: { exit: 22 },
  HEAD_TOO_LARGE: { exit: 22 },
  VERSION_NOT_SUPPORTED: { exit: 22 },
  BAD_REPLY: { exit: 56 },
  NOT_A_NODE: { exit: 7 },
  LISTEN_FAILED: { exit: 3 },
  DNS_ERROR: { exit: 6, hint: 'check the spelling and the DNS resolver of the machine that connects' },
  REFUSED: { exit: 7, hint: 'is a node running there?' },
  UNREACHABLE: { exit: 7, hint: 'check the network between the two hosts' },
  PROHIBITED: { exit: 7 },
  NOT_PARKED: { exit: 7, hint: 'is the node running, with --park and this --name?' },
  PARKING_REFUSED: { exit: 7 },
  PROXY_ERROR: { exit: 97 },
  CONNECT_TIMEOUT: { exit: 28, hint: 'a firewall may drop the packets' },
  TIMEOUT: { exit: 28, hint: 'a later hop may be slow or down; see the logs of the nodes' },
  MAX_TIME: { exit: 28 },
  STALLED: { exit: 28 },
  CUT_SHORT: { exit: 18, hint: 'the logs of the nodes name the hop and the reason' },
  CLIENT_GONE: { exit: 18 },
  NOT_FOUND: { exit: 22 },
  FORBIDDEN: { exit: 22 },
  ACCESS_DENIED: { exit: 67 },
  HTTP_ERROR: { exit: 22 },
  UNAVAILABLE: { exit: 22 },
  CHANGED: { exit: 18, hint: 'fetch it again' },
  DIGEST_MISMATCH: { exit: 110, hint: 'the bytes were changed in transit or on disk; nothing was kept' },
  NO_DIGEST: { exit: 22, hint: '--no-verify checks only the size' },
  NO_CHECKSUM: { exit: 2 },
  UNVERIFIED: { exit: 22, hint: 'the same command with --no-verify accepts it' },
  TLS_FAILED: { exit: 35 },
  UNKNOWN_HOST_KEY: { exit: 60 },
  CHANGED_HOST_KEY: { exit: 60 },
  WRONG_PIN: { exit: 60, hint: 'check the pin and the address; if both are right, another host answers' },
  UNTRUSTED_CERTIFICATE: { exit: 60, hint: 'without --ca, the pin of the key counts instead' },
  TLS_REQUIRED: { exit: 35 },
  BAD_IDENTITY: { exit: 58 },
  UNSAFE_NAME: { exit: 23 },
  BUSY: { exit: 23, hint: 'wait until it has finished' },
  READ_FAILED: { exit: 26 },
  WRITE_FAILED: { exit: 23 },
  INTERNAL: { exit: 1, hint: 'this is a bug in viaduct; please report it' },
  ABORTED: { exit: 130 },
};

/** Exit code and hint of a failure. */
export function outcomeOf({ code }: { readonly code: ErrorCode }): Outcome {
  return OUTCOMES[code];
}

/** The exit codes and their meanings, for help and the manual page. */
export const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'success'],
  ['1', 'bug in viaduct'],
  ['2', 'invalid usage or input'],
  ['3', 'cannot listen'],
  ['6', 'cannot resolve host'],
  ['7', 'cannot connect'],
  ['18', 'transfer cut short'],
  ['22', 'other HTTP error'],
  ['23', 'cannot write'],
  ['26', 'cannot read'],
  ['28', 'timeout'],
  ['35', 'TLS failed'],
  ['56', 'malformed reply'],
  ['58', 'bad own certificate'],
  ['60', 'untrusted host key'],
  ['67', 'access denied'],
  ['97', 'proxy error'],
  ['110', 'SHA-256 mismatch'],
  ['129, 130, 143', 'terminated by SIGHUP, SIGINT (Ctrl-C), SIGTERM'],
];

const COLUMNS = 3;

/** The last part of each `--help`: three codes per line, and wide entries on lines of their own. */
export function exitCodesHelp(): string {
  const short = EXIT_CODES.filter(([code]) => code.length <= 3);
  const wide = EXIT_CODES.filter(([code]) => code.length > 3);
  const cells = short.map(([code, meaning]) => `${code.padStart(3)} ${meaning}`);
  const width = Math.max(...cells.map((cell) => cell.length)) + 1;
  const lines: string[] = [];
  for (let at = 0; at < cells.length; at += COLUMNS) {
    const row = cells.slice(at, at + COLUMNS);
    lines.push(
      row
        .map((cell) => cell.padEnd(width))
        .join('')
        .trimEnd(),
    );
  }
  lines.push(...wide.map((entry) => entry.join(' ')));
  return `\nExit codes (those of curl where it has one):\n${lines.join('\n')}`;
}
