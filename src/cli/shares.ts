import { Option } from 'commander';
import { ViaductError } from '../errors.js';
import { visible } from '../text.js';

/** Who may read. */
export const WHO = ['public', 'keys', 'links', 'keys,links'] as const;
export type Who = (typeof WHO)[number];

/** A folder that is served under a name of its own. */
export interface ShareArgument {
  readonly name: string;
  readonly folder: string;
  /** As for the node if undefined. */
  readonly access: Who | undefined;
}

/** Of `server`, and of `share`, which has to know where the folders are. */
export function shareOption(description: string): Option {
  return new Option('--share <name=dir>', description).argParser(
    (share: string, shares: readonly string[] | undefined) => [...(shares ?? []), share],
  );
}

/** @param text `NAME=DIR` or `NAME=DIR,access=WHO` @throws ViaductError USAGE */
export function parseShare(text: string): ShareArgument {
  const [, name, rest] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || rest === undefined)
    throw usage(text, 'expected NAME=DIR, or NAME=DIR,access=WHO');
  const [, folder = rest, asked] = /^(.+),access=([^=]*)$/s.exec(rest) ?? [];
  const access = asked === undefined ? undefined : WHO.find((who) => who === asked);
  if (asked !== undefined && access === undefined)
    throw usage(text, `access is public, keys, links or keys,links, not "${visible(asked)}"`);
  return { name, folder, access };
}

function usage(text: string, why: string): ViaductError {
  return new ViaductError('USAGE', `--share ${visible(text)}: ${why}`);
}
