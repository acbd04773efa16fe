/** The long half of a published comparison of engines: 10 sequential tasks of fibo(33), which take tens of milliseconds. */
import { measureOverhead } from './overhead.js';

/** @param {import('./main.js').Request} request */
export function benchmark(request) {
  return measureOverhead({ name: 'long-10', tasks: 10, n: 33, atMostMs: 10 }, request);
}
