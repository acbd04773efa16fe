/** The settings of a process started from code. */
import type { BatutaConfig, ConfigDefaults } from '../base/config-file.ts';
import { type LoadedConfig, loadConfig } from '../base/config.ts';
import { BatutaError } from '../base/errors.ts';
import { type Log, openLog } from '../base/log.ts';
import { hintFor } from '../base/nearest.ts';
import { type Config, settings } from '../base/settings.ts';
import { definitionOf, isFlowClass } from '../define/definition.ts';
import type { FlowClass } from '../model/flow-types.ts';
import type { FlowDefinition } from '../model/flow.ts';

/** Options of every process. Settings are looked up here, then in the environment, then in `config`, then come the defaults. */
export interface ProcessOptions {
  /** Settings by their names in `batuta.config.ts`; they override the environment. */
  readonly settings?: ConfigDefaults;
  /** Result of `defineConfig`, for a program that shares its `batuta.config.ts`; the environment overrides it. No file is read. */
  readonly config?: BatutaConfig;
  /**
   * Whether the first SIGTERM or Ctrl-C stops the process, within its grace, and a second one exits at once. Default false: the program
   * calls `stop` itself. `serve` has it on.
   */
  readonly signals?: boolean;
  /** Receives each log line; default standard error. */
  readonly write?: (line: string) => void;
}

/** Flows from code. */
export interface FlowsOption {
  /** Classes with `@Flow()`; default the flows found by the settings. */
  readonly flows?: readonly FlowClass[];
}

/** The parts of a process. */
export interface ProcessSettings {
  readonly loaded: LoadedConfig;
  readonly config: Config;
  readonly openLog: () => Promise<Log>;
}

const keysByName = new Map(Object.entries(settings).map(([key, { name }]) => [name, key as keyof Config]));

/** @throws BatutaError CONFIG_INVALID for an unknown setting or an invalid value */
export async function readProcessSettings(
  options: ProcessOptions,
  flags: Readonly<Partial<Record<keyof Config, unknown>>> = {},
): Promise<ProcessSettings> {
  const { config: file, settings: given = {}, write } = options;
  const own = Object.fromEntries(Object.entries(given).map(([name, value]) => [keyOf(name), value]));
  const defined = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const loaded = await loadConfig({
    flags: { ...own, ...defined },
    ...(file === undefined ? {} : { loadFile: async () => ({ name: 'config', config: file }) }),
  });
  const { config } = loaded;
  const open = { level: config.logLevel, format: config.logFormat, ...(write ? { write } : {}) };
  return { loaded, config, openLog: () => openLog(open) };
}

/** @throws BatutaError FLOW_NOT_FOUND for anything but a class with `@Flow()`, FLOW_DUPLICATE for two flows of one name */
export function definitionsOf(flows: readonly FlowClass[]): readonly FlowDefinition[] {
  const byName = new Map<string, FlowDefinition>();
  for (const flow of flows) {
    if (!isFlowClass(flow)) throw new BatutaError('FLOW_NOT_FOUND', `The option flows takes classes with @Flow(), not ${shown(flow)}.`);
    const definition = definitionOf(flow);
    const other = byName.get(definition.name);
    if (other !== undefined && other !== definition)
      throw new BatutaError('FLOW_DUPLICATE', `Two classes define a flow named '${definition.name}'; give one another name.`, {
        details: { flow: definition.name },
      });
    byName.set(definition.name, definition);
  }
  return [...byName.values()];
}

function keyOf(name: string): keyof Config {
  const key = keysByName.get(name);
  if (key !== undefined) return key;
  throw new BatutaError('CONFIG_INVALID', `There is no setting '${name}'.${hintFor(name, [...keysByName.keys()], 'Known are')}`, {
    details: { setting: name },
  });
}

function shown(value: unknown): string {
  return typeof value === 'function' && value.name !== '' ? `the class ${value.name}` : typeof value;
}
