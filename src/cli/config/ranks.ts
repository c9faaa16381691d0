/** Options of a command that know where they come from. */
export interface RankedOptions {
  /** By the names of options as the program has them; the higher, the weaker. None, or 0: the command line. */
  readonly ranks?: ReadonlyMap<string, number>;
}

/**
 * Whether an option comes from a weaker source than another one, so that it is ignored where both together make no sense. Where
 * that depends on more than the two options, Commander cannot know of the conflict.
 */
export function yieldsTo({ ranks }: RankedOptions, option: string, other: string): boolean {
  return (ranks?.get(option) ?? 0) > (ranks?.get(other) ?? 0);
}
