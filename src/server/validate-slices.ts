/** Validates the many runs of one body in slices, some per turn of the event loop, so that it does not block others. */
import type { FastifySchemaCompiler } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { letOthersIn } from '../base/clock.ts';
import { maxManyRuns } from './schemas/runs.ts';

/** Runs validated in one turn. */
const runsAtOnce = 500;

interface Fault {
  readonly instancePath: string;
}

/** A compiler for a body `{ runs, … }`: errors read as from the whole schema, for the first invalid runs. */
export const validateRunsInSlices: FastifySchemaCompiler<unknown> = (route) => {
  const validate = validatorCompiler(route as Parameters<typeof validatorCompiler>[0]) as (
    data: unknown,
  ) => { readonly value: { readonly runs: unknown[] } } | { readonly error: Fault[] };
  const check = (data: unknown, from = 0): unknown[] => {
    const result = validate(data);
    if ('value' in result) return result.value.runs;
    // oxlint-disable-next-line typescript/only-throw-error -- Fastify takes the rejection value as the faults.
    throw result.error.map((fault) => ({ ...fault, instancePath: placed(fault.instancePath, from) }));
  };
  const checkAll = async (data: unknown): Promise<boolean> => {
    const { runs } = (data ?? {}) as { readonly runs?: unknown };
    if (!Array.isArray(runs) || runs.length === 0) return check(data).length >= 0;
    // oxlint-disable-next-line typescript/only-throw-error -- as above
    if (runs.length > maxManyRuns) throw tooMany;
    for (let from = 0; from < runs.length; from += runsAtOnce) {
      const read = check({ ...(data as object), runs: runs.slice(from, from + runsAtOnce) }, from);
      for (const [at, run] of read.entries()) runs[from + at] = run;
      await letOthersIn();
    }
    return true;
  };
  // Fastify brands the promises it takes.
  return checkAll as unknown as ReturnType<FastifySchemaCompiler<unknown>>;
};

const tooMany = [{ keyword: 'too_big', instancePath: '/runs', schemaPath: '#', message: `must hold at most ${maxManyRuns} runs` }];

/** The place of a fault within the whole list. */
function placed(path: string, from: number): string {
  return path.replace(/^\/runs\/(\d+)/, (_, at: string) => `/runs/${from + Number(at)}`);
}
