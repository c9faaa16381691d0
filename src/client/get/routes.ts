import { type ViaductError, withContext } from '../../errors.js';
import type { Location } from '../../route/location.js';
import { recordedSource } from './source.js';
import type { Version } from '../../files/version.js';
import { OriginFile, type OriginFileOptions } from './origin-file.js';
import { sameFile } from './parts/same-file.js';

/** A route to the file. */
export interface FileRoute {
  readonly location: Location;
  readonly origin: OriginFile;
}

/** What is to be requested of a version. */
export interface RestOf {
  readonly version: Version;
  readonly etag: string;
  readonly start: number;
}

/** The routes to one file, of which one brings it from its beginning. */
export class Routes {
  readonly #routes: readonly FileRoute[];
  readonly #versions = new Map<FileRoute, Version>();
  readonly #failures = new Map<FileRoute, ViaductError>();
  /** Those that lead to another file. */
  readonly #excluded = new Set<FileRoute>();
  #current: FileRoute;
  /** Of the version that is being fetched. */
  #source: FileRoute;

  constructor(
    location: Location,
    also: readonly Location[],
    options: OriginFileOptions,
    signal: AbortSignal,
  ) {
    const origin = new OriginFile(location, options, signal);
    const first = { location, origin };
    const others = also.map((other) => ({
      location: other,
      origin: new OriginFile(other, options, signal, origin.traceId),
    }));
    this.#routes = [first, ...others];
    this.#current = first;
    this.#source = first;
  }

  get current(): FileRoute {
    return this.#current;
  }

  get others(): readonly FileRoute[] {
    return this.#routes.filter((route) => route !== this.#current);
  }

  /** The current route is not the one that the version is from. */
  get isAway(): boolean {
    return this.#current !== this.#source;
  }

  /** A version begins, as the current route has it. */
  begin(): void {
    this.#source = this.#current;
    this.#versions.clear();
    this.#excluded.clear();
  }

  /**
   * The same version as a route has it.
   * @throws ViaductError CHANGED if it has another file; as {@link sameFile}
   */
  async versionAt(route: FileRoute, version: Version): Promise<Version> {
    if (route === this.#source) return version;
    const known = this.#versions.get(route);
    if (known !== undefined) return known;
    const found = await sameFile(this.#source.origin, version, route.origin);
    this.#versions.set(route, found);
    return found;
  }

  /** The rest of a version from `start` on, as the current route has it; undefined if it cannot be asked for. */
  async rest(version: Version, start: number): Promise<RestOf | undefined> {
    const there = await this.versionAt(this.#current, version);
    return there.etag === undefined ? undefined : { version: there, etag: there.etag, start };
  }

  /** The current route works. */
  succeeded(): void {
    this.#failures.delete(this.#current);
  }

  /**
   * The current route has failed. Another one becomes the current one.
   * @returns false if all have failed since one of them worked
   */
  failed(error: ViaductError): boolean {
    // Of this machine: no other route does better.
    if (!error.transient && error.hopAddress === undefined) return false;
    this.#failures.set(this.#current, error);
    if (error.code === 'CHANGED') this.#excluded.add(this.#current);
    const next = this.#routes.find((route) => !this.#failures.has(route));
    if (next === undefined) return false;
    this.#current = next;
    return true;
  }

  /** What to say when all have failed, and each may be tried again. @param error of the last one */
  allFailed(error: ViaductError): ViaductError {
    const failures = [...this.#failures];
    for (const [route] of failures) if (!this.#excluded.has(route)) this.#failures.delete(route);
    this.#current = this.#routes.find((route) => !this.#excluded.has(route)) ?? this.#current;
    if (failures.length < 2) return error;
    const reasons = failures.map(([{ location }, { message }]) => `${recordedSource(location)}: ${message}`);
    // One that may succeed later decides whether it is worth trying again.
    const [, base = error] = failures.find(([, { transient }]) => transient) ?? [];
    return withContext(base, () => `no route works: ${reasons.join('; ')}`, {});
  }
}
