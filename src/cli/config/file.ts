import { constants } from 'node:fs';
import { join } from 'node:path';
import { ViaductError, systemCode, systemReason } from '../../errors.js';
import { open } from '../../files/fs.js';
import { whyNotTrusted } from '../../files/ownership.js';
import { xdgFolders } from '../../files/xdg.js';
import { visible } from '../../text.js';
import { type NamedRoute, RouteTables } from './route-tables.js';
import { parseToml } from './toml.js';

/** Far more than people write. */
const MAX_BYTES = 1024 * 1024;

/** A default for an option, as a file has it. */
export interface Setting {
  /** A command, or `defaults`: all commands that have the option. */
  readonly section: string;
  /** Name of an option without `--`. Whether it exists is not checked here. */
  readonly key: string;
  readonly value: unknown;
  /** `FILE:LINE` */
  readonly place: string;
}

export interface ConfigFile {
  /** Undefined if there is none. */
  readonly path: string | undefined;
  readonly routes: ReadonlyMap<string, NamedRoute>;
  readonly settings: readonly Setting[];
}

/** `$XDG_CONFIG_HOME/viaduct/config.toml`, or `~/.config/viaduct/config.toml`; undefined without a home folder. */
export function configPath(): string | undefined {
  const [folder] = xdgFolders('XDG_CONFIG_HOME', '.config');
  return folder === undefined ? undefined : join(folder, 'config.toml');
}

const running = new Map<string | undefined, Promise<ConfigFile>>();

/**
 * Reads the configuration file, once for all who ask meanwhile: for thousands of locations it would be open too often. One
 * that does not exist is empty.
 * @throws ViaductError READ_FAILED if it cannot be read, or others may write to it; BAD_CONFIG that names the line
 */
export function readConfig(): Promise<ConfigFile> {
  const path = configPath();
  let reading = running.get(path);
  if (reading === undefined) {
    reading = read(path).finally(() => running.delete(path));
    running.set(path, reading);
  }
  return reading;
}

async function read(path: string | undefined): Promise<ConfigFile> {
  const text = path === undefined ? undefined : await readTrusted(path);
  if (path === undefined || text === undefined) return { path: undefined, routes: new Map(), settings: [] };
  const routes = new RouteTables();
  const settings: Setting[] = [];
  for (const { path: names, value, line } of await parseToml(text, visible(path, Infinity))) {
    const [section = '', key, ...more] = names;
    const place = `${visible(path, Infinity)}:${line}`;
    if (section === 'route') routes.add(names.slice(1), value, place);
    else if (more.length > 0) throw unknownKey(names, place);
    else if (key !== undefined) settings.push({ section, key, value, place });
    else settings.push({ section, key: '', value, place });
  }
  return { path, routes: routes.all(), settings };
}

/** @returns undefined if it does not exist */
async function readTrusted(path: string): Promise<string | undefined> {
  const cannot = (why: string, cause?: unknown): ViaductError =>
    new ViaductError('READ_FAILED', `cannot read ${visible(path)}: ${why}`, { cause });
  try {
    // A FIFO must not block.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const unsafe = await whyNotTrusted(file);
      if (unsafe === 'is writable by others') throw cannot(`it ${unsafe}; run: chmod go-w ${visible(path)}`);
      if (unsafe !== undefined) throw cannot(`it ${unsafe}`);
      if ((await file.stat()).size > MAX_BYTES) throw cannot('it is too large');
      return new TextDecoder('utf-8', { fatal: true }).decode(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof ViaductError) throw error;
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    if (error instanceof TypeError) throw cannot('it is not UTF-8 text', error);
    throw cannot(systemReason(error), error);
  }
}

export function unknownKey(names: readonly string[], place: string): ViaductError {
  return new ViaductError('BAD_CONFIG', `${place}: unknown key "${visible(names.join('.'))}"`);
}
