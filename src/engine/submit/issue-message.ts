/** A schema's complaint in one sentence; for a union, those of its branches. */
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** Maximum of branches shown, faults of each, and nested unions. */
const maxBranches = 6;
const maxFaults = 3;
const maxDepth = 3;

interface Fault {
  readonly message: string;
  readonly path?: StandardSchemaV1.Issue['path'];
}

/** The message of an issue. The standard has no concept of branches: zod 4 lists them in `errors`, zod 3 in `unionErrors`. */
export function issueMessage(issue: Fault, depth = 0): string {
  const branches = depth < maxDepth ? branchesOf(issue) : [];
  if (branches.length === 0) return issue.message;
  const told = branches.slice(0, maxBranches).map((faults, at) => `(${at + 1}) ${branchText(faults, depth)}`);
  const more = branches.length > told.length ? `; and ${branches.length - told.length} more` : '';
  return `It fits none of ${branches.length} forms: ${told.join('; ')}${more}`;
}

function branchText(faults: readonly Fault[], depth: number): string {
  const told = faults.slice(0, maxFaults).map((fault) => {
    const path = (fault.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
    const text = issueMessage(fault, depth + 1);
    return path === '' ? text : `${path}: ${text}`;
  });
  return told.join(', ') + (faults.length > told.length ? ` and ${faults.length - told.length} more` : '');
}

function branchesOf(issue: object): readonly (readonly Fault[])[] {
  const lists: unknown = Reflect.get(issue, 'errors') ?? Reflect.get(issue, 'unionErrors');
  if (!Array.isArray(lists)) return [];
  return lists.map(faultsOf).filter((faults) => faults.length > 0);
}

function faultsOf(branch: unknown): Fault[] {
  const faults: unknown = Array.isArray(branch)
    ? branch
    : typeof branch === 'object' && branch !== null
      ? Reflect.get(branch, 'issues')
      : null;
  return Array.isArray(faults) ? faults.filter(isFault) : [];
}

function isFault(value: unknown): value is Fault {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'message') === 'string';
}
