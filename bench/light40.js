/** The light half of a published comparison of engines: 40 sequential tasks of fibo(10), which take microseconds. */
import { measureOverhead } from './overhead.js';

/** @param {import('./main.js').Request} request */
export function benchmark(request) {
  return measureOverhead({ name: 'light-40', tasks: 40, n: 10, atMostMs: 15 }, request);
}
