import { contentPolicy } from '../../wire/http/content-policy.js';
import type { Field } from '../../wire/http/head.js';

/** Fields of every reply of a node. `Viaduct` shows a relay that a node has answered. @param fields of the reply */
export function nodeFields(fields: readonly Field[]): Field[] {
  return [['Viaduct', '1'], ...contentPolicy(fields, false)];
}
