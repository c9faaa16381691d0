import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Running, folder, freePort, startListening } from './processes.js';

/** The program as users run it. */
export const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The folder of keys of all nodes and clients here, so that nothing is left in that of the user. */
export const STATE = join(folder, 'state');

/** No relay ends a connection of the bench by a limit of its own, however idle they are, and however many. */
export const PATIENCE_SECONDS = 600;
export const CONNECTIONS = 16_384;

/** Starts a `viaduct server`; `more` are options besides those that every node of the bench has, undefined for one without value. */
export async function startNodeProcess(more: Readonly<Record<string, string | undefined>>): Promise<Running> {
  const port = await freePort();
  const options = {
    host: '127.0.0.1',
    state: STATE,
    timeout: PATIENCE_SECONDS,
    'stall-timeout': PATIENCE_SECONDS,
    'max-connections': CONNECTIONS,
    'log-level': 'error',
    ...more,
  };
  const args = Object.entries(options).flatMap(([option, value]) =>
    value === undefined ? [`--${option}`] : [`--${option}`, String(value)],
  );
  return startListening(process.execPath, [PROGRAM, 'server', String(port), ...args], port);
}
