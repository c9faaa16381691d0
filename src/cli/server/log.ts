import { type Logger, pino, stdTimeFunctions } from 'pino';
import { LineWriter } from '../terminal/lines.js';

export interface LogOptions {
  readonly logLevel: string;
  readonly logFormat: 'auto' | 'pretty' | 'json';
}

/** Creates a logger that writes structured lines to standard error. */
export async function createLogger(
  { logLevel, logFormat }: LogOptions,
  stderr: NodeJS.WriteStream,
): Promise<Logger> {
  const settings = {
    level: logLevel,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
  };
  const pretty = logFormat === 'pretty' || (logFormat === 'auto' && stderr.isTTY);
  if (!pretty) return pino(settings, new LineWriter(stderr, droppedAsJson));
  const { prettyFactory } = await import('pino-pretty');
  const colorize = stderr.isTTY && !process.env['NO_COLOR'];
  const prettify = prettyFactory({ colorize, translateTime: 'SYS:HH:MM:ss.l' });
  const lines = new LineWriter(stderr, (count) => prettify(droppedAsJson(count)));
  return pino(settings, { write: (line: string) => lines.write(prettify(line)) });
}

/** The line that replaces dropped ones, in the format of pino. */
function droppedAsJson(count: number): string {
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), count, msg: 'log lines dropped: the output was not read' })}\n`;
}
