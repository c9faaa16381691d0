import { type ErrorCode, asErrorCode } from '#src/errors.js';
import { outcomeOf } from '#src/cli/exit-codes.js';
import { httpFailure } from '#src/wire/http/failures.js';
import { code, escapeCell, table } from './markdown.js';
import { fill } from './template.js';

interface Description {
  readonly meaning: string;
  /** Missing where the hint of the command line is enough, or where there is nothing to do. */
  readonly remedy?: string;
}

/** Every error code, for people; a new code does not compile without an entry here. */
const DESCRIPTIONS: Readonly<Record<ErrorCode, Description>> = {
  USAGE: { meaning: 'invalid command line or option value' },
  BAD_ROUTE: {
    meaning: 'an input file, route, hop or location that cannot be parsed',
    remedy: 'correct what the message names',
  },
  BAD_CONFIG: {
    meaning:
      'the [configuration file](configuration.md) cannot be parsed, or has an unknown key or a wrong value',
    remedy: 'correct the line that the message names',
  },
  TOO_MANY_HOPS: {
    meaning: 'the route has more hops than allowed',
    remedy: 'shorten the route, or raise --max-hops on the client and on every node',
  },
  MESSAGE_TOO_LONG: { meaning: 'a classic message is longer than 4,096 bytes' },
  BAD_MESSAGE: {
    meaning: 'a classic message is empty or malformed',
    remedy: 'correct the client; [the wire](protocol.md#1-message) has the grammar',
  },
  MESSAGE_TIMEOUT: {
    meaning: 'a classic message or an HTTP head was not complete in time',
    remedy: 'check the connection between client and node; --timeout of the server is the limit',
  },
  BAD_REQUEST: {
    meaning: 'an HTTP request breaks RFC 9112 or 9110, or the node does not accept it',
    remedy: 'correct the client',
  },
  METHOD_NOT_ALLOWED: { meaning: 'an HTTP method other than GET and HEAD', remedy: 'use GET or HEAD' },
  WRONG_HOST: {
    meaning: 'an HTTP request calls the node by a host name that is not its own',
    remedy:
      'use its address, or start it with --host-name; [Browsers](security.md#browsers) has the names that need no option',
  },
  PRECONDITION_FAILED: {
    meaning: 'a condition of the request does not hold (If-Match, If-Unmodified-Since)',
    remedy: 'the file has changed; fetch it from the start',
  },
  RANGE_NOT_SATISFIABLE: {
    meaning: 'the requested range is outside the file',
    remedy: 'Content-Range of the reply has the size; fetch the file from the start',
  },
  URI_TOO_LONG: { meaning: 'a request target is longer than 8 KiB', remedy: 'shorten the path or the route' },
  HEAD_TOO_LARGE: { meaning: 'an HTTP head is larger than 16 KiB', remedy: 'send fewer header fields' },
  VERSION_NOT_SUPPORTED: { meaning: 'a version other than HTTP/1.0 and HTTP/1.1', remedy: 'use HTTP/1.1' },
  BAD_REPLY: {
    meaning: 'the reply of a hop breaks RFC 9112, or is not what was requested',
    remedy:
      'check what listens at that address; compare the versions with viaduct trace; if a hop builds no tunnel: nodes before version 0.2 need `--plain`, without encryption',
  },
  NOT_A_NODE: {
    meaning: 'the hop answers HTTP but is not a viaduct node',
    remedy: 'check the port; a relay passes on replies of a web server if --allow-hop names its host',
  },
  LISTEN_FAILED: {
    meaning: 'the node cannot listen on its port',
    remedy: 'use another port, or stop the process that uses it',
  },
  DNS_ERROR: { meaning: 'the name of a hop does not resolve' },
  REFUSED: {
    meaning: 'no process listens on the port of the hop',
    remedy: 'start a node there, or check the port',
  },
  UNREACHABLE: { meaning: 'no connection to the hop: no route, network down, or a local limit' },
  PROHIBITED: {
    meaning: 'a relay may not connect to the hop, or not for this client',
    remedy:
      'the message names the option: the --allow-hop rule that would allow it, --deny-hop, --relay-for or --park-clients',
  },
  NOT_PARKED: {
    meaning: 'no node of this name is parked at the hop before',
    remedy: 'check the name, and that the node runs with --park; its log tells whether it is parked',
  },
  PARKING_REFUSED: {
    meaning: 'the node does not park this one, or not under this name',
    remedy: 'start it with --park-for, or choose another --name',
  },
  PROXY_ERROR: {
    meaning:
      'the proxy over which a hop is dialled is down, refuses the connection, or speaks something else',
    remedy: 'check the proxy that the message names, and [what names it](proxies.md)',
  },
  CONNECT_TIMEOUT: { meaning: 'connecting to the hop timed out' },
  TIMEOUT: { meaning: 'the sender sent no data within the timeout' },
  MAX_TIME: { meaning: '--max-time is over', remedy: 'run the same command again to resume' },
  STALLED: {
    meaning: 'the receiver accepted no data within the timeout',
    remedy:
      'check the client; --pause-timeout of the server is the limit, --stall-timeout while the server is busy',
  },
  CUT_SHORT: {
    meaning: 'the sender broke the connection before the end of the file, or during the TLS handshake',
    remedy:
      'the logs of the nodes name the hop and the reason; during the handshake: nodes before version 0.2 need `--plain`, without encryption',
  },
  CLIENT_GONE: { meaning: 'the receiver closed the connection before the end of the file' },
  NOT_FOUND: {
    meaning: 'the file does not exist under the root of the origin',
    remedy: 'list the folder with viaduct ls',
  },
  FORBIDDEN: {
    meaning: 'the name leads out of the root, is hidden, or is not a regular file',
    remedy: 'start the origin with another --root, or with --dotfiles',
  },
  ACCESS_DENIED: {
    meaning:
      'the node lets only clients read whose key its owner has authorized (`--access keys`), or who have a link (`--access links`)',
    remedy:
      'send the pin that `viaduct identity --client` prints to the owner of the node, who runs `viaduct authorize PIN`; other HTTP clients need `https://` and the key, such as `curl --cert client.pem`; or ask the owner for a new link',
  },
  HTTP_ERROR: { meaning: 'any other HTTP status', remedy: 'the message has the status' },
  UNAVAILABLE: { meaning: 'the hop is busy or stopping', remedy: 'try again later' },
  CHANGED: {
    meaning: 'the file changed during the transfer, and it keeps changing or the output cannot be rewound',
  },
  DIGEST_MISMATCH: { meaning: 'the SHA-256 of the received file is not that of the origin' },
  NO_DIGEST: { meaning: 'the origin does not send the SHA-256 of the file' },
  NO_CHECKSUM: {
    meaning: 'the file of `--checksum-file` does not have the SHA-256 of the file, or has two of them',
    remedy: 'add the line, or fetch the file without `--checksum-file`',
  },
  UNVERIFIED: {
    meaning:
      'all of the file was received, but its origin no longer serves it, so that nothing can confirm it',
    remedy: 'the file stays in `FILE.part`; to accept it, run the same command with `--no-verify`',
  },
  TLS_FAILED: {
    meaning: 'TLS with a node could not be agreed on, or broke',
    remedy: 'check what listens at that address; nodes before version 0.2 need `--plain`, without encryption',
  },
  UNKNOWN_HOST_KEY: {
    meaning: 'the key of the host is neither pinned nor in `known_hosts`',
    remedy:
      'compare the pin with that of `viaduct identity` on the host; the message has the command that accepts it',
  },
  CHANGED_HOST_KEY: {
    meaning: 'the key of the host is not the one that `known_hosts` has for it: a new key, or an impostor',
    remedy:
      'ask the administrator of the host; if the new pin is right, remove the old one with `viaduct known remove`',
  },
  WRONG_PIN: {
    meaning: 'the key of the host does not have the pin of `--pin` or of the input file',
    remedy:
      'check the pin and the address; if both are right, another host answers; with `https://` the first hop and the last each need a `--pin`',
  },
  UNTRUSTED_CERTIFICATE: {
    meaning:
      'the certificate of the host does not lead to an authority of `--ca`, is expired, or is for another name',
    remedy: 'the message has the reason; without `--ca`, the pin of the key counts instead',
  },
  TLS_REQUIRED: {
    meaning: 'the node accepts only TLS (`--tls-only`), and the request came without',
    remedy:
      'leave `--plain` out; other HTTP clients use `https://`, which reaches only a node without relays before it',
  },
  BAD_IDENTITY: {
    meaning: 'the key or certificate of the node or client cannot be used',
    remedy: 'the message names the file and what is wrong with it',
  },
  UNSAFE_NAME: {
    meaning: 'a remote name is not a safe file name on this system',
    remedy: 'choose a name with -o',
  },
  BUSY: { meaning: 'another process is downloading to the same target' },
  READ_FAILED: {
    meaning: 'a file cannot be read, or shrank while it was sent',
    remedy: 'check its permissions and its disk; do not truncate a file that is being sent',
  },
  WRITE_FAILED: {
    meaning: 'a file or standard output cannot be written',
    remedy: 'check free space, permissions and the path',
  },
  INTERNAL: { meaning: 'a bug in viaduct' },
  ABORTED: { meaning: 'the node stopped, or the caller cancelled the transfer' },
};

/** docs/errors.md, with the tables of codes in place of `@CODES@`. */
export function errorsPage(template: string): string {
  const rows = Object.entries(DESCRIPTIONS).map(([text, { meaning, remedy }]) => {
    const name = asErrorCode(text);
    if (name === undefined) throw new Error(`${text} is no error code`);
    const outcome = outcomeOf({ code: name });
    const { status, proxyError } = httpFailure(name);
    return [
      code(name),
      escapeCell(meaning),
      String(outcome.exit),
      isSent(name) ? String(status) : '',
      proxyError === undefined ? '' : code(proxyError),
      escapeCell(remedy ?? outcome.hint ?? ''),
    ];
  });
  return fill(template, {
    CODES: table(['code', 'meaning', 'exit', 'HTTP', '`Proxy-Status`', 'what to do'], rows),
  });
}

/** Whether a node reports the error by its status. What has no status of its own happens to clients, or ends in a reset. */
function isSent(name: ErrorCode): boolean {
  return httpFailure(name).status !== 500 || name === 'READ_FAILED' || name === 'INTERNAL';
}
