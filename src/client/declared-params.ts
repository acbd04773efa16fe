/** Parameters as a deployment declares them, before the schema of its flow has filled in or changed anything. Light: reads no schedule. */
import type { DeploymentVersion } from '../model/deployment.ts';
import { decodeValue } from '../model/values.ts';
import type { DeclaredDeployment } from './declared-deployment.ts';

/** The declaration kept with a version; null if it is not one of ours. */
export function declaredOf({ spec }: Pick<DeploymentVersion, 'spec'>): DeclaredDeployment | null {
  return typeof spec === 'object' && spec !== null && 'schedules' in spec ? (spec as DeclaredDeployment) : null;
}

/** The parameters that a version declares; undefined if it declares none. */
export function declaredParams(version: Pick<DeploymentVersion, 'spec'> | null): unknown {
  return version ? decodeValue(declaredOf(version)?.params ?? null) : undefined;
}

/** Declared parameters with others merged over them. What is not an object of fields is replaced as a whole. */
export function layOver(declared: unknown, over: unknown): unknown {
  if (over === undefined) return declared;
  return isFields(declared) && isFields(over) ? { ...declared, ...over } : over;
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
