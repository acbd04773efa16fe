/** `@On`: calls a method on an event of the run. It only records. */
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { type HookEvent, hookEvents } from '../model/flow.ts';
import { writeHook } from './metadata.ts';
import { readSpot } from './spot.ts';
import type { OnDecorator } from './class-wiring.ts';

/**
 * Calls the method once the run is `running`, `completed`, `failed`, `crashed` or `cancelled`. Errors of a hook are logged and change
 * nothing. A method may have several, for different events.
 *
 * @throws BatutaError OPTION_INVALID for an unknown event or one named twice, DECORATOR_MISPLACED on anything but a public instance method
 * @example
 * ```ts
 * @On('failed')
 * async tell(ctx: HookContext) { … }
 * ```
 */
export function On(event: HookEvent): OnDecorator {
  const decorate = (first: unknown, second: unknown, third: unknown): void => {
    const spot = readSpot('On', first, second, third);
    if (!hookEvents.includes(event))
      throw spot.refuse(
        'OPTION_INVALID',
        ` listens to '${String(event)}', which is no event.${hintFor(String(event), hookEvents, 'The events are')}`,
      );
    if (!writeHook(spot.holder, { name: spot.name, event }))
      throw spot.refuse('OPTION_INVALID', ` listens to '${event}' twice; keep one @On('${event}').`);
  };
  if (arguments.length !== 1) throw new BatutaError('DECORATOR_MISPLACED', `@On takes one event: @On('completed').`);
  return decorate as OnDecorator;
}
