import { type HopSpeed, type SpeedOptions, measureSpeeds, slowestLink } from '../../client/speed.js';
import { type Route, formatHop, hopLabel } from '../../route/hop.js';
import { formatRate, jsonLine } from '../terminal/print.js';

/** Measures the speed of each hop, and prints a line for each as it is known, and the slowest link. @throws as {@link measureSpeeds} */
export async function printSpeeds(
  route: Route,
  print: (text: string) => void,
  { json, ...options }: SpeedOptions & { readonly json: boolean },
): Promise<void> {
  const width = Math.max(...route.map((hop) => formatHop(hop).length), 'address'.length);
  const row = (number: string, address: string, speed: string): void =>
    print(`${number.padStart(3)}  ${address.padEnd(width)}  ${speed.padStart(10)}\n`);
  if (!json) row('hop', 'address', 'speed');
  const speeds = await measureSpeeds(route, {
    ...options,
    onSpeed: (speed) => {
      if (json) print(jsonLine(membersOf(speed)));
      else row(String(speed.number), formatHop(speed.hop), formatRate(speed.bytesPerSecond, 1));
    },
  });
  const slowest = slowestLink(speeds);
  if (slowest === undefined) return;
  if (json) print(jsonLine({ slowestLink: membersOf(slowest) }));
  else {
    const rate = formatRate(slowest.bytesPerSecond, 1);
    const hop = hopLabel(slowest.number, slowest.hop);
    // The first link limits all behind it, so that they cannot be told apart.
    if (slowest.number === 1) print(`no link is slower than the one to ${hop}: ${rate}\n`);
    else print(`the slowest link is the one to ${hop}: ${rate}\n`);
  }
}

function membersOf({ number, hop, bytesPerSecond }: HopSpeed): object {
  return { hopNumber: number, hopAddress: formatHop(hop), bytesPerSecond: Math.round(bytesPerSecond) };
}
