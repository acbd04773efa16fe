/** `batuta server`: serves the API and the dashboard. */
import { describeConfig } from '../../base/config.ts';
import { whole } from '../../base/setting-values.ts';
import { BatutaError } from '../../base/errors.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { serve } from '../fleet-process.ts';
import { openSettings } from '../open.ts';

interface Options {
  readonly host?: string;
  readonly port?: string;
}

/** Requests under way may take so long to end, ms; streams of events end at once. */
const graceMs = 10_000;

/** Serves until it is told to end. */
export async function serveAsServer(context: CommandContext, options: Options): Promise<ExitStatus> {
  const loaded = await openSettings(context, { host: options.host, port: readPort(options.port) });
  const { startServer } = await import('../../server/start.ts');
  return serve(context, loaded.config, graceMs, (log) =>
    startServer({ config: loaded.config, log, cwd: context.terminal.cwd, settings: describeConfig(loaded) }),
  );
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    return whole(0, 65_535).read(text);
  } catch (error) {
    throw new BatutaError('USAGE', `--port is ${JSON.stringify(text)} but ${error instanceof Error ? error.message : String(error)}.`);
  }
}
