/** `@Measured`: measures how long a method takes, wherever code of a run calls it. It only wraps. */
import { systemClock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import type { TaskContext } from '../model/context.ts';
import { currentScope } from '../model/run-context.ts';
import type { Method } from './metadata.ts';
import { optionsObject, readSpot } from './spot.ts';

export interface MeasuredOptions {
  /** Name of the histogram. Default `method_duration_seconds`. */
  readonly name?: string;
  /** What it measures, one sentence. */
  readonly help?: string;
}

const usualName = 'method_duration_seconds';

/**
 * Measures a public method in seconds, into a histogram with the labels `class`, `method` and `outcome` (`ok` or `error`). Works on any
 * class and on tasks, placed below `@Task()`; outside a run it is a plain call.
 *
 * @throws BatutaError DECORATOR_MISPLACED on anything but a public instance method, OPTION_INVALID
 * @example
 * ```ts
 * @Task()
 * @Measured()
 * async load(ctx: TaskContext) { … }
 * ```
 */
export function Measured(options?: MeasuredOptions): MethodDecorator & StandardMethodDecorator {
  const { name = usualName, help = 'How long methods with @Measured() take.' } = optionsObject('Measured', options, arguments.length);
  if (typeof name !== 'string' || typeof help !== 'string')
    throw new BatutaError('OPTION_INVALID', '@Measured() takes a name and a help of text.', { details: { option: 'name' } });
  const decorate = (first: unknown, second: unknown, third: unknown): unknown => {
    const spot = readSpot('Measured', first, second, third);
    return spot.replaceWith(measured(spot.name, spot.method, { name, help }));
  };
  return decorate as MethodDecorator & StandardMethodDecorator;
}

/** A TC39 method decorator. */
export type StandardMethodDecorator = <T extends (this: never, ...args: never[]) => unknown>(
  value: T,
  context: ClassMethodDecoratorContext,
) => T;

function measured(method: string, bare: Method, { name, help }: Required<MeasuredOptions>): Method {
  const wrapper: Method = function (...args) {
    const metrics = (currentScope()?.context as Partial<TaskContext> | undefined)?.metrics;
    if (metrics === undefined) return bare.apply(this, args);
    const histogram = metrics.histogram(name, { help, labels: ['class', 'method', 'outcome'] });
    const startedAt = systemClock.monotonic();
    const end = (outcome: 'ok' | 'error'): void =>
      histogram.observe((systemClock.monotonic() - startedAt) / 1_000, { class: className(this), method, outcome });
    let value: unknown;
    try {
      value = bare.apply(this, args);
    } catch (error) {
      end('error');
      throw error;
    }
    if (!(value instanceof Promise)) {
      end('ok');
      return value;
    }
    value.then(
      () => end('ok'),
      () => end('error'),
    );
    return value;
  };
  Object.defineProperties(wrapper, { name: { value: method, configurable: true }, length: { value: bare.length, configurable: true } });
  return wrapper;
}

function className(instance: unknown): string {
  return (instance as { constructor?: { name?: string } } | null)?.constructor?.name ?? '';
}
