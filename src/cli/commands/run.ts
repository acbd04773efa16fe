/** `batuta run`: runs a flow here and now. */
import { findFlow } from '../../define/find-flow.ts';
import { paramsFromText } from '../../engine/submit/params.ts';
import { environmentVariable } from '../../base/config.ts';
import type { Log } from '../../base/log.ts';
import type { Config } from '../../base/settings.ts';
import type { LocalClient } from '../../client/local-client.ts';
import type { CommandContext, ExitStatus } from '../context.ts';
import { followRun } from '../follow-run.ts';
import { loadLocalClient, openSettings, withLocalClientOf } from '../open.ts';
import { readParams } from '../read-params.ts';
import { RunDisplay } from '../run-display.ts';

interface Options {
  readonly params?: string;
  readonly param: readonly string[];
  readonly name?: string;
  readonly tag: readonly string[];
  readonly refreshCache?: boolean;
  readonly profile?: boolean;
  readonly metricsFile?: string;
  readonly json?: boolean;
}

/** Finds the flow, reads the parameters, runs it and shows it. Nothing is recorded if the flow or a parameter is wrong. */
export async function run(context: CommandContext, target: string, options: Options): Promise<ExitStatus> {
  const { cwd } = context.terminal;
  const given = await readParams(options.params, options.param, cwd);
  const { config } = await openSettings(context);
  const { tag: tags, refreshCache, name, json = false, profile: isProfiled = false } = options;
  const display = new RunDisplay(context, { json });
  try {
    // Before the flow, whose mark makes each later promise cost more (`model/loading.ts`).
    await loadLocalClient(config);
    const definition = await findFlow(target, { flowsPath: config.flows, cwd });
    const params = await paramsFromText(definition, given.data, given.texts);
    const labels = { tags, refreshCache, ...(name === undefined ? {} : { name }) };
    const execute = async (client: LocalClient, _config: Config, log: Log): Promise<ExitStatus> => {
      const file = options.metricsFile ?? null;
      // Metrics are slow to load.
      const endMeasuring = asksForMetrics(config, file)
        ? await (await import('../../client/run-metrics.ts')).measureRun({ client, config, log, file, cwd, flow: definition.name })
        : null;
      let isHurried = false;
      const profile = isProfiled ? await (await import('../profile-run.ts')).RunProfile.begin(context) : null;
      try {
        return await followRun(context, client, display, {
          json,
          onLeave: () => (isHurried = true),
          start: (hooks) => client.submit(definition, params, { ...hooks, ...labels }),
          ...(profile === null ? {} : { onEnd: (inspection) => profile.keep(client, inspection) }),
        });
      } finally {
        await profile?.drop();
        await endMeasuring?.(isHurried);
      }
    };
    return await withLocalClientOf(context, config, display.print, execute, { reports: true, profile: isProfiled });
  } finally {
    display.end();
  }
}

function asksForMetrics({ metricsPushUrl }: Config, file: string | null): boolean {
  return file !== null || metricsPushUrl !== null || Boolean(environmentVariable('OTEL_METRICS_EXPORTER'));
}
