/** What a session of PostgreSQL that is ours alone is given: settings, and names of what it keeps prepared. */
import { createHash } from 'node:crypto';

/**
 * The recorder sends a handful of statements over and over. One plan each is enough, and it must not be one that was made
 * while the tables were empty: scanning them all would be kept as the plan long after they have grown.
 */
export const recorderSettings = 'set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set jit = off';

/** The same for what is prepared, where every row is found by its key: tables that were empty as it was planned change nothing. */
export const preparedSettings = `${recorderSettings}; set enable_hashjoin = off; set enable_mergejoin = off`;

/** By text; there are few. */
const names = new Map<string, string>();

/** Name of a prepared statement. It follows from the text, so that in no process and no version it stands for another statement. */
export function statementName(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `batuta_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
    names.set(text, name);
  }
  return name;
}
