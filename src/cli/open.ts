/** Opens the settings and the client for commands. */
import { type ConfigInput, type LoadedConfig, loadConfig } from '../base/config.ts';
import { type Log, openLog } from '../base/log.ts';
import type { Config } from '../base/settings.ts';
import type { Client } from '../client/client.ts';
import type { LocalClient } from '../client/local-client.ts';
import { loadConfigFile } from '../define/load-config-file.ts';
import type { CommandContext } from './context.ts';

/**
 * The settings: flag, then environment, then `batuta.config.ts`, then default. Warnings go to standard error.
 *
 * @param flags further flags of the command
 */
export async function openSettings(context: CommandContext, flags: ConfigInput['flags'] = {}): Promise<LoadedConfig> {
  const { databaseUrl, flows, logLevel, logFormat } = context.globals;
  const { err, cwd } = context.terminal;
  const loaded = await loadConfig({
    flags: { databaseUrl, flows, logLevel, logFormat, ...flags },
    isTty: err.isTty,
    loadFile: () => loadConfigFile(cwd),
  });
  for (const warning of loaded.warnings) err.line(`${err.paint.yellow('warning')} ${warning}`);
  return loaded;
}

/**
 * Opens a client with the settings, passes it to `use`, and always closes it. It talks to the server if `apiUrl` is set, else it opens
 * the store.
 */
export async function withClient<T>(context: CommandContext, use: (client: Client, config: Config) => Promise<T>): Promise<T> {
  return withClientOf(context, await openSettings(context), use);
}

/** The same with settings already loaded. */
export async function withClientOf<T>(
  context: CommandContext,
  settings: LoadedConfig,
  use: (client: Client, config: Config) => Promise<T>,
): Promise<T> {
  const { config } = settings;
  if (!asksServer(settings)) return withLocalClientOf(context, config, context.terminal.err.write, use);
  const { openHttpClient } = await import('../client/http/open.ts');
  const client = openHttpClient({ apiUrl: config.apiUrl ?? '', apiKey: config.apiKey });
  try {
    return await use(client, config);
  } finally {
    await client.close();
  }
}

/** Whether commands use a server: `apiUrl` is set, and no database was named on the command line, which takes precedence. */
export function asksServer({ config, sources }: LoadedConfig): boolean {
  return config.apiUrl !== null && sources.databaseUrl !== 'flag';
}

/** The same for what only a process with direct access to the store can do. */
export async function withLocalClient<T>(context: CommandContext, use: (client: LocalClient, config: Config) => Promise<T>): Promise<T> {
  const { config } = await openSettings(context);
  return withLocalClientOf(context, config, context.terminal.err.write, use);
}

/** Loads the code that `withLocalClientOf` will need. @throws BatutaError PACKAGE_MISSING */
export async function loadLocalClient({ databaseUrl }: Config): Promise<void> {
  const { loadStoreCode } = await import('../client/open-local-client.ts');
  await loadStoreCode(databaseUrl);
}

/**
 * The same with settings already loaded.
 *
 * @param print receives the log, in whole lines
 * @param options `reports`: whether to report what happens meanwhile if the settings say so, for commands that execute runs; `profile`:
 *   whether to keep CPU profiles of all tasks with `isolate`. Both default to false
 */
export async function withLocalClientOf<T>(
  context: CommandContext,
  config: Config,
  print: (text: string) => void,
  use: (client: LocalClient, config: Config, log: Log) => Promise<T>,
  { reports = false, profile = false }: { readonly reports?: boolean; readonly profile?: boolean } = {},
): Promise<T> {
  const { openLocalClient } = await import('../client/open-local-client.ts');
  const colors = context.terminal.err.paint.isColorSupported;
  const log = await openLog({ level: config.logLevel, format: config.logFormat, colors, write: print });
  const client = await openLocalClient({ config, log, flows: config.flows, captureConsole: config.captureConsole, reports, profile });
  try {
    return await use(client, config, log);
  } finally {
    await client.close();
  }
}
