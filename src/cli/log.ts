import { type Logger, destination, pino } from 'pino';

export interface LogOptions {
  readonly logLevel: string;
  readonly logFormat: 'auto' | 'pretty' | 'json';
}

/** Structured lines on standard error, written at once so that none is lost when the process ends. */
export async function createLogger({ logLevel, logFormat }: LogOptions): Promise<Logger> {
  const settings = { level: logLevel, base: null };
  const pretty = logFormat === 'pretty' || (logFormat === 'auto' && process.stderr.isTTY);
  if (!pretty) return pino(settings, destination({ fd: 2, sync: true }));
  const { default: prettyStream } = await import('pino-pretty');
  const colorize = process.stderr.isTTY && !process.env['NO_COLOR'];
  return pino(
    settings,
    prettyStream({ destination: 2, sync: true, colorize, translateTime: 'SYS:HH:MM:ss.l' }),
  );
}
