/** Upcoming ticks, also of a schedule that is only being drafted. */
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../parts.ts';
import { documented, given } from '../schemas/common.ts';
import { previewBody, ticksQuery } from '../schemas/deployments.ts';

const usualTicks = 10;

export function scheduleRoutes(app: App, { client, clock }: RouteParts): void {
  const about = documented('schedules');

  app.get(
    '/api/ticks',
    about('The next ticks of all deployments or one that is not paused, soonest first.', { querystring: ticksQuery }),
    async (request) => ({ items: (await client.deployments.upcoming(given(request.query))).map((tick) => toWire(tick)) }),
  );

  app.post(
    '/api/schedules/preview',
    about('When a schedule would tick, and what clock changes do to it.', { body: previewBody }),
    async (request) => {
      const { count = usualTicks, from = clock.now(), ...input } = request.body;
      const { nextTicks, parseSchedule } = await import('../../model/schedule/schedule.ts');
      const { touchedChanges } = await import('../../model/schedule/changes.ts');
      const { describeChange, describeSchedule } = await import('../../model/schedule/words.ts');
      const schedule = parseSchedule(input);
      const ticks = nextTicks(schedule, from, count);
      return {
        words: describeSchedule(schedule),
        ticks: ticks.map((tick) => new Date(tick).toISOString()),
        warnings: touchedChanges(schedule, from, ticks).map(describeChange),
      };
    },
  );
}
