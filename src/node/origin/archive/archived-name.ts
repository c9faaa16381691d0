import { segmentsOf } from '../../../route/subtree.js';
import type { Plan } from './plan.js';

/** The name of an archive without its extension: that of its folder. The root has none. */
export function nameOfArchive({ top }: Pick<Plan, 'top'>): string {
  return segmentsOf(top).at(-1) ?? 'files';
}

/** The name of an entry: below the name of the archive, so that unpacking makes one folder. @param path relative to the root */
export function archivedName(plan: Pick<Plan, 'top'>, path: string): string {
  return `${nameOfArchive(plan)}/${path.slice(plan.top.length)}`;
}
