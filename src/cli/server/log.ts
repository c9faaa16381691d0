import { type Logger, pino } from 'pino';
import { LineWriter } from '../terminal/lines.js';

export interface LogOptions {
  readonly logLevel: string;
  readonly logFormat: 'auto' | 'pretty' | 'json';
}

/** Structured lines on standard error. */
export async function createLogger({ logLevel, logFormat }: LogOptions): Promise<Logger> {
  const settings = { level: logLevel, base: null };
  const pretty = logFormat === 'pretty' || (logFormat === 'auto' && process.stderr.isTTY);
  if (!pretty) return pino(settings, new LineWriter(process.stderr, droppedAsJson));
  const { prettyFactory } = await import('pino-pretty');
  const colorize = process.stderr.isTTY && !process.env['NO_COLOR'];
  const prettify = prettyFactory({ colorize, translateTime: 'SYS:HH:MM:ss.l' });
  const lines = new LineWriter(process.stderr, (count) => prettify(droppedAsJson(count)));
  return pino(settings, { write: (line: string) => lines.write(prettify(line)) });
}

/** The line, as pino would write it, that stands for lines that nobody read in time. */
function droppedAsJson(count: number): string {
  return `${JSON.stringify({ level: 40, time: Date.now(), count, msg: 'log lines dropped: nobody read them' })}\n`;
}
