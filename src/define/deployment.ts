/** `deployment()`: a deployment in `batuta.config.ts`, typed by its flow's class. It only collects; `batuta deploy --all` checks. */
import type { ConfigDeployment, ConfigSchedule } from '../base/config-file.ts';
import type { FlowClass, ParamsIn, SomeParams } from '../model/flow-types.ts';

/** What applies to one schedule or many. */
export type ScheduleTiming = Pick<ConfigSchedule, 'cron' | 'interval' | 'rrule' | 'timezone' | 'anchor'>;

/** A schedule whose parameters are those of the flow `C`. */
export type DeploymentSchedule<C> = Omit<ConfigSchedule, 'params'> & { readonly params?: SomeParams<C> };

/** Options of `deployment()`; `C` is the class of the flow. One schedule may be given here, several in `schedules`. */
export interface DeploymentOptions<C> extends Omit<ConfigDeployment, 'flow' | 'params' | 'schedules'>, ScheduleTiming {
  /** Parameters of every run; a schedule may override them, so they need not be complete here. */
  readonly params?: unknown extends ParamsIn<C> ? unknown : SomeParams<C>;
  readonly schedules?: readonly DeploymentSchedule<C>[];
}

const timings = ['cron', 'interval', 'rrule', 'timezone', 'anchor'] as const;

/**
 * A deployment of a flow, for `deployments` in `batuta.config.ts`. Names, values and defaults are those of `ConfigDeployment`; parameters
 * are checked by the compiler if the class has static `params`.
 *
 * @example
 * ```ts
 * export default defineConfig({ deployments: [deployment(FlightDelays, { cron: '@daily', params: { month: '01' } })] });
 * ```
 */
export function deployment<C extends FlowClass>(flow: C, options: DeploymentOptions<C> = {}): ConfigDeployment {
  const { cron, interval, rrule, timezone, anchor, schedules = [], ...rest } = options;
  const given = { cron, interval, rrule, timezone, anchor };
  const own = timings.filter((name) => given[name] !== undefined).map((name) => [name, given[name]] as const);
  const all = [...(own.length === 0 ? [] : [Object.fromEntries(own) as ConfigSchedule]), ...schedules] as readonly ConfigSchedule[];
  return { ...rest, flow, ...(all.length === 0 ? {} : { schedules: all }) };
}
