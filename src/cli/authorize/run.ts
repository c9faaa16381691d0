import { ViaductError, systemReason } from '../../errors.js';
import { authorize, authorizedPath, readAuthorized, revoke } from '../../identity/authorized-keys.js';
import {
  type AuthorizedClient,
  type AuthorizedLine,
  formatClient,
  formatExpiry,
  isClientName,
  parseExpiry,
} from '../../identity/authorized-list.js';
import { notAPin, parsePin } from '../../route/pin.js';
import { WHOLE_ROOT, formatSubtree, parseSubtree } from '../../route/subtree.js';
import { visible } from '../../text.js';
import type { CommandContext } from '../context.js';
import { jsonLine } from '../terminal/print.js';
import { standardOutput, untilReaderLeaves } from '../terminal/standard-output.js';

export interface AuthorizeOptions {
  readonly name?: string;
  readonly path?: string;
  readonly expires?: string;
  readonly list?: true;
  readonly json?: true;
  readonly remove?: string;
  readonly authorized?: string;
  /** `--state` */
  readonly state?: string;
}

/** A pin with space around it; what is longer is none. */
const INPUT_CHARS = 4096;

/** Lists or changes the list of authorized keys. Returns the exit code. */
export async function runAuthorize(
  pin: string | undefined,
  options: AuthorizeOptions,
  context: CommandContext,
): Promise<number> {
  const path = authorizedPath(options.authorized, options.state);
  if (options.json && !options.list) throw usage('--json is only for --list');
  if (options.list || options.remove !== undefined) {
    if (pin !== undefined)
      throw usage(`${options.list ? '--list has no' : '--remove has no further'} argument`);
    if (options.remove === undefined) await list(path, options.json === true ? asJson : asLine, context);
    else await remove(path, options.remove.trim());
    return 0;
  }
  if (pin === undefined) throw usage('expected: authorize PIN, --list, or --remove PIN');
  // Checked before standard input is waited for.
  const what = parseOptions(options);
  await add(path, { pin: parsed(pin === '-' ? await readPin(context) : pin), ...what });
  return 0;
}

function parsed(text: string): string {
  const pin = parsePin(text);
  if (pin === undefined) throw usage(notAPin(text.trim()));
  return pin;
}

function parseOptions({ name, path, expires }: AuthorizeOptions): Omit<AuthorizedClient, 'pin'> {
  if (name !== undefined && !isClientName(name))
    throw usage(
      `"${visible(name)}" is not a name; expected 1 to 64 letters (a-z), digits and "._@+-", with a letter or digit first`,
    );
  // Spaces need no escape on the command line, as in locations.
  const below = path === undefined ? WHOLE_ROOT : parseSubtree(path.replaceAll(' ', '%20'));
  if (below === undefined)
    throw usage(`"${visible(path ?? '')}" is not a path; expected one as in a URL, such as /photos/2024`);
  const time = expires === undefined ? undefined : parseExpiry(expires);
  if (expires !== undefined && time === undefined)
    throw usage(`"${visible(expires)}" is not a time; expected 2026-12-31 or 2026-12-31T12:00Z`);
  if (time !== undefined && time.getTime() <= Date.now())
    throw usage(`${formatExpiry(time)} is in the past (--expires)`);
  return { name, below, expires: time };
}

async function readPin({ stdin }: CommandContext): Promise<string> {
  let text = '';
  try {
    for await (const chunk of stdin) {
      text += String(chunk);
      if (text.length > INPUT_CHARS) break;
    }
  } catch (cause) {
    throw new ViaductError('READ_FAILED', `cannot read standard input: ${systemReason(cause)}`, { cause });
  }
  return text;
}

async function add(path: string, client: AuthorizedClient): Promise<void> {
  const other = await authorize(path, client);
  if (other === undefined) return;
  const { name = '' } = client;
  throw usage(
    `line ${other.line} of ${visible(path)} has the name "${name}" for another pin; first remove it, or choose another --name`,
  );
}

async function remove(path: string, who: string): Promise<void> {
  if (await revoke(path, who)) return;
  // The same failure, and exit code, as that of `known remove`.
  throw new ViaductError('UNKNOWN_HOST_KEY', `${visible(who)} is not in ${visible(path)}`);
}

async function list(
  path: string,
  format: (client: AuthorizedLine) => string,
  { stdout }: CommandContext,
): Promise<void> {
  const { clients } = await readAuthorized(path);
  await untilReaderLeaves(standardOutput(stdout)(Buffer.from(clients.map(format).join(''))));
}

function asLine(client: AuthorizedLine): string {
  return `${formatClient(client)}${isExpired(client) ? ' # expired' : ''}\n`;
}

function asJson(client: AuthorizedLine): string {
  const { pin, name, below, expires, line } = client;
  const time = expires && formatExpiry(expires);
  return jsonLine({ pin, name, path: formatSubtree(below), expires: time, expired: isExpired(client), line });
}

function isExpired({ expires }: AuthorizedClient): boolean {
  return expires !== undefined && expires.getTime() <= Date.now();
}

function usage(message: string): ViaductError {
  return new ViaductError('USAGE', message);
}
