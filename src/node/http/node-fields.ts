import { contentPolicy, isFolderPath } from '../../wire/http/content-policy.js';
import type { Field } from '../../wire/http/head.js';

/**
 * Fields of every reply of a node. `Viaduct` shows a relay that a node has answered.
 * @param fields of the reply
 * @param path of the request, at the origin
 */
export function nodeFields(status: number, fields: readonly Field[], path: string): Field[] {
  return [['Viaduct', '1'], ...contentPolicy(fields, status === 200 && isFolderPath(path))];
}
