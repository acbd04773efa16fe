/** Rules for names of flows, tasks and resources. */
import { BatutaError } from '../base/errors.ts';
import { cutText, isLongerThan } from '../base/cut-text.ts';
import { maxNameChars } from './run.ts';

/** Characters that would break paths, templates, HTML or query strings. */
const forbidden = /[/%<>&\p{Cc}]/u;

/**
 * Checks a flow, task or resource name: 1 to 200 characters, none of `/ % < > &`, no control characters, no blanks at either end.
 *
 * @param what begins the message, e.g. `FlightDelays: the flow's name`.
 * @throws BatutaError NAME_INVALID
 */
export function checkName(what: string, name: string): void {
  const fault = faultOf(name);
  if (fault === undefined) return;
  const shown = cutText(name, 40, '…');
  throw new BatutaError('NAME_INVALID', `${what} ${JSON.stringify(shown)} ${fault}`, { details: { name: shown } });
}

function faultOf(name: string): string | undefined {
  if (name.length === 0) return 'is empty; give it at least one letter.';
  if (isLongerThan(name, maxNameChars)) return `has ${[...name].length} characters; at most ${maxNameChars} are allowed.`;
  const found = forbidden.exec(name);
  if (found) return `holds ${JSON.stringify(found[0])}; names have none of / % < > & and no control characters.`;
  if (name.trim() !== name) return 'begins or ends with a blank; leave it out.';
  return undefined;
}
