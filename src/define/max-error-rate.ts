/** The option `maxErrorRate` of `@Task`. */
import type { TaskDefinition } from '../model/task.ts';
import { OptionReader, type RawOptions, refuse } from './options.ts';

const defaultFrom = 100;

/** @throws BatutaError OPTION_INVALID, OPTION_UNKNOWN */
export function maxErrorRateOf(read: OptionReader): TaskDefinition['maxErrorRate'] {
  const value = read.raw['maxErrorRate'];
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw read.invalid('maxErrorRate', '{ share: 0.01, from: 1000 }');
  const options = value as RawOptions;
  const other = Object.keys(options).find((name) => name !== 'share' && name !== 'from');
  if (other !== undefined) throw refuse('OPTION_UNKNOWN', read.place, `: maxErrorRate has no option '${other}'. It takes share and from.`);
  const own = new OptionReader(read.place, { 'maxErrorRate.share': options['share'], 'maxErrorRate.from': options['from'] });
  const share = own.number('maxErrorRate.share', 0, 1);
  if (share === undefined) throw own.invalid('maxErrorRate.share', 'a number from 0 to 1');
  return { share, from: own.whole('maxErrorRate.from', 1) ?? defaultFrom };
}
