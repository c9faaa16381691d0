import { execFileSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import { tempFolder } from '../support/temp.js';

/** Nothing but what the test asks for goes over the network. */
const SWITCHES = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--no-proxy-server',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Debian's Chromium without a window, with a new profile and further switches; it ends with the test. */
export async function startChromium(t: TestContext, switches: readonly string[] = []): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim(),
    args: [...SWITCHES, ...switches],
    env: { PATH: process.env['PATH'] ?? '', HOME: tempFolder(t), LC_ALL: 'C.UTF-8' },
  });
  t.after(() => browser.close());
  return browser;
}
