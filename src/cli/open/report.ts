import type { Gateway, GatewayEvent } from '../../client/gateway/options.js';
import type { ViaductError } from '../../errors.js';
import { formatBytes, visible } from '../../text.js';
import type { CommandContext } from '../context.js';
import { outcomeOf } from '../exit-codes.js';
import { LineWriter } from '../terminal/lines.js';
import { errorLine, jsonLine, printError } from '../terminal/print.js';

/** What `viaduct open` prints. The secret of the URL is only in what {@link OpenReport.opened} prints. */
export interface OpenReport {
  opened(gateway: Gateway): void;
  event(event: GatewayEvent): void;
  /** Nothing was opened. Returns the exit code. */
  failed(error: ViaductError): number;
}

/** The URL on standard output; all else on standard error. */
export function textReport({ stdout, stderr }: CommandContext, verbose: boolean): OpenReport {
  const lines = new LineWriter(
    stderr,
    (count) => `viaduct: ${count} lines dropped: the output was not read\n`,
  );
  return {
    opened: ({ url, statusUrl }) => {
      stdout.write(`${url}\n`);
      lines.write(`viaduct: state of the route: ${statusUrl}\nviaduct: Ctrl-C ends it\n`);
    },
    event: (event) => {
      const line = lineOf(event, verbose);
      if (line !== undefined) lines.write(`${line}\n`);
    },
    failed: (error) => printError(error, stderr),
  };
}

function lineOf(event: GatewayEvent, verbose: boolean): string | undefined {
  switch (event.type) {
    case 'broken':
      return errorLine(event.error, 'the route does not work: ');
    case 'working':
      return 'viaduct: the route works again';
    case 'failed': {
      // The client shows the error page of what has not begun.
      if (event.bytes === 0 && !verbose) return undefined;
      return errorLine(event.error, `${visible(event.path)}: ${sentText(event.bytes)}`);
    }
    case 'retry': {
      if (!verbose) return undefined;
      const after = `; goes on in ${(event.pauseMs / 1000).toFixed(1)} s`;
      return errorLine(event.error, `${visible(event.path)}: ${sentText(event.bytes)}`, after);
    }
    case 'complete': {
      if (!verbose) return undefined;
      const verified = event.sha256 === undefined ? '' : '  verified';
      return `viaduct: ${visible(event.path)}  ${formatBytes(event.bytes)}${verified}`;
    }
    case 'reply':
      return undefined;
  }
}

function sentText(bytes: number): string {
  return bytes === 0 ? '' : `after ${formatBytes(bytes)}: `;
}

/** One JSON object per event and line. */
export function jsonReport({ stdout }: CommandContext): OpenReport {
  const lines = new LineWriter(stdout, (dropped) => jsonLine({ event: 'dropped', lines: dropped }));
  const print = (event: string, members: object): void => lines.write(jsonLine({ event, ...members }));
  return {
    opened: ({ url, statusUrl }) => print('open', { url, statusUrl }),
    event: ({ type, ...members }) => {
      const { error, ...others } = { error: undefined, ...members };
      print(type, error === undefined ? others : { ...others, ...errorMembers(error) });
    },
    failed: (error) => {
      const { exit } = outcomeOf(error);
      print('error', { ...errorMembers(error), exit });
      return exit;
    },
  };
}

function errorMembers({ code, hopAddress, hopNumber, message }: ViaductError): object {
  return { code, hopNumber, hopAddress, message };
}
