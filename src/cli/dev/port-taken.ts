/** Says who it is that listens where `batuta dev` wants to. */
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import type { Config } from '../../base/settings.ts';

/** Longest wait for an answer, ms. */
const answerMs = 1_000;

/** Throws the error on, with a better sentence when it is another Batuta that has the port. */
export async function explainTaken(error: unknown, { host, port }: Pick<Config, 'host' | 'port'>): Promise<never> {
  if (!isBatutaError(error, 'CONFIG_INVALID') || error.details['port'] !== port || !(await isBatuta(host, port))) throw error;
  throw new BatutaError(
    'CONFIG_INVALID',
    `Another Batuta (dev or server) listens on port ${port} already. Stop it, or start this one beside it with --port ${port + 1}.`,
    { cause: error, details: error.details },
  );
}

async function isBatuta(host: string, port: number): Promise<boolean> {
  try {
    const name = host.includes(':') ? `[${host}]` : host;
    const answer = await fetch(`http://${name}:${port}/health/live`, { signal: AbortSignal.timeout(answerMs) });
    const body: unknown = await answer.json();
    return typeof body === 'object' && body !== null && 'ok' in body && body.ok === true;
  } catch {
    return false;
  }
}
