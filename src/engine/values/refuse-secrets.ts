/** Keeps secrets out of what is recorded. */
import { BatutaError } from '../../base/errors.ts';
import { holdsSecret } from '../../base/hidden-values.ts';

/**
 * Refuses a value that holds a secret that this process has read: it would be in the database in clear and on every page that shows the
 * value. It is refused rather than masked, because its takers would continue with a wrong value.
 *
 * @param text the value as it is recorded
 * @param what names it in the error, e.g. `result of task login`
 * @throws BatutaError SECRET_EXPOSED
 */
export function refuseSecrets(text: string | null, what: string): void {
  if (text === null || !holdsSecret(text)) return;
  throw new BatutaError(
    'SECRET_EXPOSED',
    `The ${what} would be recorded with the value of a secret in it. Read the secret by ctx.secret where it is needed, and leave it out of what is handed on.`,
  );
}
