/** The flows that are measured. Decorators are called as functions here, so that plain JavaScript can make classes of any length. */
import { Flow, Task } from 'batuta';

/** Puts `@Task(options)` on a method, as a compiler would in legacy mode. */
export function mark(target, name, options) {
  const descriptor = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, Task(options)(target, name, descriptor) ?? descriptor);
}

/**
 * A flow of `length` tasks, each waiting for the one before and calling `work`.
 *
 * @param {string} name
 * @param {number} length
 * @param {(() => unknown) | ((ctx: import('batuta').TaskContext) => unknown)} work what every task does
 * @param {object} options further options of every task
 */
export function makeChain(name, length, work, options = {}) {
  class Chain {}
  for (let at = 0; at < length; at++) {
    const method = `step${at}`;
    const value = work.length === 0 ? () => work() : (...given) => work(given.at(-1));
    Object.defineProperty(Chain.prototype, method, { value, configurable: true, writable: true });
    mark(Chain.prototype, method, at === 0 ? options : { ...options, needs: [`step${at - 1}`] });
  }
  Flow({ name })(Chain);
  return Chain;
}

/**
 * A flow whose first task gives a list of `width` numbers, whose second is run once per number, and whose third counts the results.
 *
 * @param {string} name
 * @param {number} width
 */
export function makeFanOut(name, width) {
  class FanOut {
    list() {
      return Array.from({ length: width }, (_, at) => at);
    }
    touch(number) {
      return number;
    }
    join(numbers) {
      return numbers.length;
    }
  }
  mark(FanOut.prototype, 'list', {});
  mark(FanOut.prototype, 'touch', { each: 'list' });
  mark(FanOut.prototype, 'join', { needs: ['touch'] });
  Flow({ name })(FanOut);
  return FanOut;
}

/** The usual bad way to compute a Fibonacci number: as slow as its result is large. */
export function fibo(n) {
  return n < 2 ? n : fibo(n - 1) + fibo(n - 2);
}

/** @param {number} count @returns {AsyncGenerator<{ id: number, value: number }>} */
export async function* records(count) {
  for (let id = 0; id < count; id++) yield { id, value: id % 100 };
}

/** The same with their values doubled. */
export async function* twice(rows) {
  for await (const row of rows) yield { ...row, value: row.value * 2 };
}

/** The sum of the values. */
export async function sumOf(rows) {
  let sum = 0;
  for await (const row of rows) sum += row.value;
  return sum;
}

/**
 * A flow of three tasks that are connected by streams, with `ends` tasks that take all records.
 *
 * @param {string} name
 * @param {number} count of records
 */
export function makeStream(name, count, ends = 1) {
  class Stream {}
  const put = (method, value, options) => {
    Object.defineProperty(Stream.prototype, method, { value, configurable: true, writable: true });
    mark(Stream.prototype, method, options);
  };
  put(
    'records',
    async function* () {
      for (let id = 0; id < count; id++) yield { id, value: id % 100 };
    },
    {},
  );
  put('twice', twice, { needs: ['records'] });
  for (let end = 0; end < ends; end++) put(`sum${end}`, (rows) => sumOf(rows), { needs: ['twice'] });
  Flow({ name })(Stream);
  return Stream;
}
