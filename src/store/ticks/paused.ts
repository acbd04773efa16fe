/**
 * What a pause keeps of the runs that wait for those of earlier ticks, as SQL over a run by its alias.
 *
 * The pause of a schedule keeps its own runs alone: those of the other schedules of its deployment do not wait for what waits for it.
 */

const scheduleIsPaused = (run: string): string =>
  `exists (select 1 from schedules where schedules.id = ${run}.schedule_id and schedules.paused_at is not null)`;

/** A run that waits, of a deployment and a schedule that go on or are there no more. */
export const goesOn = (run: string): string =>
  `not exists (select 1 from deployments where deployments.name = ${run}.deployment and deployments.paused_at is not null)
   and not ${scheduleIsPaused(run)}`;

/** A run of a tick that others may have to wait for: not one that waits itself while its schedule is paused. */
export const standsBefore = (run: string): string =>
  `(${run}.held is null or ${run}.state_type <> 'SCHEDULED' or not ${scheduleIsPaused(run)})`;
