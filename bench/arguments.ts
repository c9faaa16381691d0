import { parseArgs } from 'node:util';
import { type Wire, everyKey } from './peers.js';

const PARTS = ['throughput', 'get', 'encrypted', 'open', 'parked', 'access', 'small', 'idle'] as const;
const WIRES = ['classic', 'http'] as const;

const HELP = `Usage: npm run bench -- [PART...] [OPTION...]

Compares viaduct with other relays and clients; docs/performance.md tells how to read the tables.
Parts (all of them by default): ${PARTS.join(', ')}

  --wires LIST      ${WIRES.join(',')}
  --peers LIST      relays to compare with: ${everyKey.filter((key) => key !== 'viaduct').join(',')}
  --rounds N        paired rounds
  --chains LIST     relays between origin and sink (throughput: 1,2,4,8; encrypted: 0,2,4)
  --flows LIST      parallel transfers (throughput, parked: 1,64)
  --mib N           size of a round or a file in MiB (throughput: 512; get, encrypted, parked: 1024; open: 2048)
  --at-once LIST    replies in flight (small: 1,64,512)
  --connections N   connections (idle: 5000)
  --json            everything as JSON
  --help            this text
`;

export interface Asked {
  readonly parts: readonly string[];
  readonly wires: readonly Wire[];
  readonly keys: readonly string[];
  readonly rounds: number | undefined;
  readonly chains: readonly number[] | undefined;
  readonly flows: readonly number[];
  readonly mib: number | undefined;
  readonly atOnce: readonly number[];
  readonly connections: number;
  readonly json: boolean;
}

/**
 * What is to be measured.
 * @returns the help text instead, if that is asked for
 * @throws Error that names the option that is wrong
 */
export function argumentsFrom(args: readonly string[]): Asked | string {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      wires: { type: 'string', default: WIRES.join(',') },
      peers: { type: 'string', default: everyKey.join(',') },
      chains: { type: 'string' },
      flows: { type: 'string', default: '1,64' },
      mib: { type: 'string' },
      'at-once': { type: 'string', default: '1,64,512' },
      connections: { type: 'string', default: '5000' },
      rounds: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return HELP;
  for (const part of positionals) oneOf('part', part, PARTS);
  const keys = values.peers.split(',');
  for (const key of keys) oneOf('peer', key, everyKey);
  return {
    parts: positionals.length > 0 ? positionals : PARTS,
    wires: values.wires.split(',').map((wire) => oneOf('wire', wire, WIRES)),
    keys,
    rounds: values.rounds === undefined ? undefined : number('rounds', values.rounds),
    chains: values.chains === undefined ? undefined : numbers('chains', values.chains, 0),
    flows: numbers('flows', values.flows),
    mib: values.mib === undefined ? undefined : number('mib', values.mib),
    atOnce: numbers('at-once', values['at-once']),
    connections: number('connections', values.connections),
    json: values.json,
  };
}

function numbers(option: string, list: string, least = 1): number[] {
  return list.split(',').map((text) => number(option, text, least));
}

function number(option: string, text: string, least = 1): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && Number.isSafeInteger(value)) return value;
  throw new Error(`--${option} takes whole numbers from ${least}, not "${text}"`);
}

function oneOf<Name extends string>(what: string, name: string, known: readonly Name[]): Name {
  const found = known.find((one) => one === name);
  if (found !== undefined) return found;
  throw new Error(`there is no ${what} ${name}, only ${known.join(', ')}`);
}
