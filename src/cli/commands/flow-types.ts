/** `batuta flow types`: writes the parameter and result types of flows, by name, for the compiler. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { LoadedConfig } from '../../base/config.ts';
import { BatutaError } from '../../base/errors.ts';
import { programName } from '../../base/program-name.ts';
import { definitionOf, isFlowClass } from '../../define/definition.ts';
import { loadFlows } from '../../define/load-flows.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { CommandContext, ExitStatus } from '../context.ts';
import { loadQuietly } from '../output-capture.ts';
import { openSettings } from '../open.ts';
import { shownPath } from '../render/failure.ts';
import { reportError } from '../print.ts';

/**
 * Writes `batuta-flows.d.ts` (or `--out`) for the flows and declared deployments of the project. A flow whose file does not load is named
 * on standard error and left out, with status 1. With `--check` nothing is written, and the status is 1 if the file is out of date.
 */
export async function writeFlowTypes(
  context: CommandContext,
  options: { readonly out: string; readonly check?: boolean },
): Promise<ExitStatus> {
  const { terminal } = context;
  const settings = await openSettings(context);
  const { flows, broken } = await loadQuietly(context, () => loadFlows(settings.config.flows, { cwd: terminal.cwd }));
  const file = resolve(terminal.cwd, options.out);
  const text = declarationText(dirname(file), flows, deployedFlows(settings));
  for (const { error } of broken) reportError(error, terminal, context.globals);
  const isSame = existsSync(file) && readFileSync(file, 'utf8') === text;
  if (options.check) {
    if (!isSame) terminal.err.line(`${shownPath(file, terminal.cwd)} is not up to date. Write it anew: ${programName()} flow types`);
    return isSame && broken.length === 0 ? 0 : 1;
  }
  if (!isSame) writeDeclarations(file, text);
  const count = `${flows.length} ${flows.length === 1 ? 'flow' : 'flows'}`;
  terminal.err.line(`${shownPath(file, terminal.cwd)}: ${count}${isSame ? ', unchanged' : ''}`);
  return broken.length === 0 ? 0 : 1;
}

/** Names of declared deployments with the names of their flows, as far as the configuration file is readable. */
function deployedFlows({ file }: LoadedConfig): readonly (readonly [name: string, flow: string])[] {
  return (file?.deployments ?? []).flatMap((declared) => {
    if (typeof declared !== 'object' || declared === null) return [];
    const { name, flow } = declared as { readonly name?: unknown; readonly flow?: unknown };
    const flowName = typeof flow === 'string' ? flow : isFlowClass(flow) ? definitionOf(flow).name : undefined;
    return flowName === undefined ? [] : [[typeof name === 'string' ? name : flowName, flowName] as const];
  });
}

function declarationText(
  folder: string,
  flows: readonly FlowDefinition[],
  deployed: readonly (readonly [name: string, flow: string])[],
): string {
  const types = new Map(flows.flatMap((flow) => (flow.source ? [[flow.name, typeOf(folder, flow.source)] as const] : [])));
  const deployments = deployed.flatMap(([name, flow]) => {
    const type = types.get(flow);
    return type === undefined ? [] : [[name, type] as const];
  });
  const section = (name: string, members: Iterable<readonly [string, string]>): string[] => [
    `  interface ${name} {`,
    ...[...members].map(([member, type]) => `    ${JSON.stringify(member)}: ${type};`),
    '  }',
  ];
  return [
    '// Written by `batuta flow types`: what flows take and give, where they are started by name.',
    'declare global {',
    ...section('BatutaFlows', types),
    ...section('BatutaDeployments', deployments),
    '}',
    'export {};',
    '',
  ].join('\n');
}

/** A module path that every `moduleResolution` finds: with the extension of the compiled JavaScript. */
function typeOf(folder: string, { file, exportName }: NonNullable<FlowDefinition['source']>): string {
  const path = relative(folder, file)
    .replaceAll('\\', '/')
    .replace(/\.([cm]?)tsx?$/, '.$1js');
  const spec = path.startsWith('.') ? path : `./${path}`;
  return `(typeof import(${JSON.stringify(spec)}))[${JSON.stringify(exportName)}]`;
}

function writeDeclarations(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new BatutaError('USAGE', `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
