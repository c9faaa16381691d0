import type { NetworkView } from './address.js';

/** Addresses that are remembered. */
const KNOWN_MOST = 1024;

/** Classes of addresses, remembered while this host's networks stay the same: to find one takes some 10 µs, and each connection needs two. */
export class KnownClasses<Class> {
  readonly #find: (address: string, view: NetworkView) => Class;
  readonly #known = new Map<string, Class>();
  #view: NetworkView | undefined;

  /** @param find finds the class of an address */
  constructor(find: (address: string, view: NetworkView) => Class) {
    this.#find = find;
  }

  of(address: string, view: NetworkView): Class {
    if (view !== this.#view || this.#known.size >= KNOWN_MOST) this.#known.clear();
    this.#view = view;
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const found = this.#find(address, view);
    this.#known.set(address, found);
    return found;
  }
}
