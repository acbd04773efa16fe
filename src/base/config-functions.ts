/** Content of a configuration file besides settings: functions of the project, checked before they are called. */
import type { OwnHealthCheck } from './config-file.ts';
import { BatutaError } from './errors.ts';

/** Names of all of Batuta's own checks. */
const builtInChecks = ['database', 'redis', 'broker', 'schedules', 'queues', 'versions', 'alerts', 'disk', 'clock'];

/** The checks under `health`. @throws BatutaError CONFIG_INVALID */
export function readHealthChecks(file: string, given: unknown): Readonly<Record<string, OwnHealthCheck>> {
  const taken = builtInChecks.find((name) => isRecord(given) && Object.hasOwn(given, name));
  if (taken !== undefined)
    throw new BatutaError(
      'CONFIG_INVALID',
      `${file}: health.${taken} is one of Batuta's own checks; give yours another name, such as own-${taken}.`,
      { details: { setting: 'health' } },
    );
  if (isRecord(given) && Object.values(given).every((one) => typeof one === 'function'))
    return Object.freeze({ ...(given as Record<string, OwnHealthCheck>) });
  throw new BatutaError('CONFIG_INVALID', `${file}: health must be an object of functions: { warehouse: async ({ signal }) => … }.`, {
    details: { setting: 'health' },
  });
}

/** The list under `middleware`. @throws BatutaError CONFIG_INVALID */
export function readMiddleware(file: string, given: unknown): readonly unknown[] {
  if (Array.isArray(given) && given.every((one) => typeof one === 'function')) return Object.freeze([...(given as unknown[])]);
  throw new BatutaError('CONFIG_INVALID', `${file}: middleware must be a list of functions (ctx, next) => ….`, {
    details: { setting: 'middleware' },
  });
}

/** The secret stores under `secrets`. @throws BatutaError CONFIG_INVALID */
export function checkResolvers(file: string, resolvers: unknown): void {
  if (resolvers === undefined) return;
  const isRight =
    isRecord(resolvers) && Object.entries(resolvers).every(([name, one]) => /^[a-z][\w-]*$/i.test(name) && typeof one === 'function');
  if (isRight && !['env', 'file'].some((name) => Object.hasOwn(resolvers, name))) return;
  throw new BatutaError(
    'CONFIG_INVALID',
    `${file}: secrets must be an object of functions such as { vault: async (reference) => … }; the names env and file are taken.`,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
