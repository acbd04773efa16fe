/** Finds the one flow that a person or a recorded run means. */
import { existsSync, statSync } from 'node:fs';
import { basename, isAbsolute, resolve } from 'node:path';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import type { FlowDefinition } from '../model/flow.ts';
import { declaredIn } from './declared-classes.ts';
import { definitionOf } from './definition.ts';
import { shownPath } from './load-errors.ts';
import { type LoadedFlow, type LoadOptions, loadFlowFile } from './load.ts';
import { type LoadedFlows, loadFlows } from './load-flows.ts';
import { mayLoadRecorded } from './recorded-source.ts';

export interface FindOptions extends LoadOptions {
  /** Folders or files to search for flows by name. */
  readonly flowsPath: string | readonly string[];
}

/**
 * The flow that `target` names: `path/to/file.ts`, `path/to/file.ts:Class` (or `:flow-name`, or the name of the export), a folder with one
 * flow, or the name or class of a flow in `flowsPath`.
 *
 * @throws BatutaError FILE_NOT_FOUND, FLOW_NOT_FOUND with the nearest names, FLOW_AMBIGUOUS listing the flows, FLOW_DUPLICATE, and what
 *   loading throws
 */
export async function findFlow(target: string, options: FindOptions): Promise<FlowDefinition> {
  const { path, chosen } = readTarget(target, options.cwd ?? process.cwd());
  if (path === null) return findFlowByName(chosen, options);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return choose(definitionsOf(await loadFlowFile(path)), path, chosen);
  const found = await loadFlows(path);
  failOnErrors(found, chosen);
  return choose(found.flows, path, chosen);
}

/** A recorded run's facts on its flow. */
export interface RecordedFlow {
  readonly flow: string;
  /** `file#exportName`, or null. */
  readonly source: string | null;
  /** Folders or files to search if its own file does not have the flow. */
  readonly flows: string | readonly string[];
}

/**
 * The flow of a recorded run: the class this program defined in that file, else in its own file if that still holds it, else by name in
 * `flows`. A file that a row must not load (see `recorded-source.ts`) is not loaded; if it is the same file in another copy of the project,
 * the flow is found by name.
 *
 * @throws BatutaError FLOW_NOT_FOUND, SOURCE_REFUSED, and what loading throws
 */
export async function findFlowOfRun({ flow, source, flows }: RecordedFlow, options: LoadOptions = {}): Promise<FlowDefinition> {
  const file = source?.replace(/#[^#/\\]*$/, '') ?? '';
  const own = declaredIn(file)
    .map(definitionOf)
    .find(({ name }) => name === flow);
  if (own) return own;
  if (isAbsolute(file) && existsSync(file)) {
    if (!mayLoadRecorded(file, [flows].flat(), options.cwd ?? process.cwd())) return await findMoved(flow, source ?? '', flows, options);
    const found = definitionsOf(await loadFlowFile(file)).find(({ name }) => name === flow);
    if (found) return found;
  }
  return findFlowByName(flow, { ...options, flowsPath: flows });
}

/** With an earlier release, or another checkout, the file still exists: what moved with it is found by name. */
async function findMoved(flow: string, source: string, flows: string | readonly string[], options: LoadOptions): Promise<FlowDefinition> {
  const [, file = '', exportName] = /^(.*?)(?:#([^#/\\]*))?$/s.exec(source) ?? [];
  const moved = await findFlowByName(flow, { ...options, flowsPath: flows }).catch(() => null);
  if (moved?.source && basename(moved.source.file) === basename(file) && moved.source.exportName === exportName) return moved;
  throw new BatutaError(
    'SOURCE_REFUSED',
    `The flow '${flow}' is recorded with the file ${file}, which is outside the place for flows (${[flows].flat().join(', ')}) and which you have not run before. Add it to BATUTA_FLOWS, or run it once by its path.`,
    { details: { flow, file } },
  );
}

function definitionsOf(loaded: readonly LoadedFlow[]): FlowDefinition[] {
  return loaded.map(({ definition }) => definition);
}

function readTarget(
  target: string,
  cwd: string,
): { readonly path: string; readonly chosen: string | null } | { readonly path: null; readonly chosen: string } {
  if (looksLikePath(target) && existsSync(resolve(cwd, target))) return { path: resolve(cwd, target), chosen: null };
  // The last colon; one before a slash or after a single letter is part of the path (C:\flows).
  const [, head, tail] = /^(.{2,}):([^:/\\]*)$/s.exec(target) ?? [];
  if (head !== undefined && (looksLikePath(head) || existsSync(resolve(cwd, head))))
    return { path: resolve(cwd, head), chosen: tail ?? null };
  if (looksLikePath(target)) return { path: resolve(cwd, target), chosen: null };
  return { path: null, chosen: target };
}

/** A bare word is a flow name even if a folder has the same name. */
function looksLikePath(target: string): boolean {
  return /[/\\]/.test(target) || /\.[cm]?[jt]sx?$/.test(target) || target === '.' || target === '..';
}

/**
 * The flow of that name (or export, or class) in `flowsPath`. Paths are not names: a right to run flows by name must not allow loading
 * files outside the project.
 *
 * @throws BatutaError FLOW_NOT_FOUND with the nearest names, FLOW_AMBIGUOUS, FLOW_DUPLICATE
 */
export async function findFlowByName(name: string, options: FindOptions): Promise<FlowDefinition> {
  let found: LoadedFlows;
  try {
    found = await loadFlows(options.flowsPath, options);
  } catch (error) {
    if (!isBatutaError(error, 'FILE_NOT_FOUND')) throw error;
    const paths = [options.flowsPath].flat().join(', ');
    throw new BatutaError(
      'FLOW_NOT_FOUND',
      `There is no flow '${name}': the place for flows, ${paths}, does not exist. Give the path of a file, or set BATUTA_FLOWS.`,
      { cause: error, details: { flow: name } },
    );
  }
  failOnDuplicate(found, name);
  const matches = matching(found.flows, name);
  if (matches.length === 1 && matches[0]) return matches[0];
  if (matches.length > 1) throw ambiguous(`'${name}' matches several flows`, matches);
  const names = found.flows.map(({ name: known }) => known);
  const classes = found.flows.map(({ className }) => className);
  const hint =
    names.length === 0
      ? ` No flow was found in ${[options.flowsPath].flat().join(', ')}.`
      : hintFor(name, /^\p{Lu}/u.test(name) ? classes : names, 'The flows are');
  throw new BatutaError('FLOW_NOT_FOUND', `There is no flow '${name}'.${hint}${unloaded(found)}`, {
    details: { flow: name, known: names, errors: found.broken.map(({ error }) => error.message) },
  });
}

function choose(flows: readonly FlowDefinition[], path: string, chosen: string | null): FlowDefinition {
  const shown = shownPath(path);
  const [only] = flows;
  if (!only)
    throw new BatutaError('FLOW_NOT_FOUND', `${shown} exports no flow. Put @Flow() on a class and export it.`, { details: { file: path } });
  if (chosen === null) {
    if (flows.length === 1) return only;
    throw ambiguous(`${shown} holds ${flows.length} flows`, flows);
  }
  const [match, second] = matching(flows, chosen);
  if (match && second) throw ambiguous(`'${chosen}' matches several flows of ${shown}`, [match, second]);
  if (match) return match;
  const known = flows.map(({ className }) => className);
  throw new BatutaError('FLOW_NOT_FOUND', `${shown} exports no flow '${chosen}'.${hintFor(chosen, known, 'It exports')}`, {
    details: { file: path, flow: chosen, known },
  });
}

/** By the name of the flow, which is unique; else by export, else by class. */
function matching(flows: readonly FlowDefinition[], name: string): FlowDefinition[] {
  for (const keyOf of [
    (flow: FlowDefinition) => flow.name,
    (flow: FlowDefinition) => flow.source?.exportName,
    (flow: FlowDefinition) => flow.className,
  ]) {
    const found = flows.filter((flow) => keyOf(flow) === name);
    if (found.length > 0) return found;
  }
  return [];
}

function ambiguous(what: string, flows: readonly FlowDefinition[]): BatutaError {
  const choices = flows.map(({ source, className }) => (source === null ? className : `${shownPath(source.file)}:${source.exportName}`));
  return new BatutaError('FLOW_AMBIGUOUS', `${what}; choose one: ${choices.join(', ')}`, { details: { choices } });
}

function failOnDuplicate(found: LoadedFlows, name: string): void {
  for (const { error } of found.broken) if (error.code === 'FLOW_DUPLICATE' && error.details['flow'] === name) throw error;
}

function failOnErrors(found: LoadedFlows, chosen: string | null): void {
  if (chosen !== null) failOnDuplicate(found, chosen);
  if (found.flows.length === 0 && found.broken[0]) throw found.broken[0].error;
}

function unloaded({ broken }: LoadedFlows): string {
  const [first] = broken;
  if (!first) return '';
  return ` ${broken.length === 1 ? 'One file' : `${broken.length} files`} could not be loaded: ${first.error.message}`;
}
