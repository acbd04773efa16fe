import { describe, expect, test } from 'vitest';
import { compilers, defineFlows } from '../../support/compile-flows.ts';

const rows = '@Task() async *rows() { yield 1; }';

describe.each(compilers)('with $name a class is refused where it is defined', (compiler) => {
  test.each([
    ['STREAM_MISUSED', `@Flow() class Etl { @Task({ cache: '1h' }) async *rows() {} @Task({ needs: ['rows'] }) take() {} }`],
    ['STREAM_MISUSED', `@Flow({ result: 'rows' }) class Etl { ${rows} @Task({ needs: ['rows'] }) take() {} }`],
    ['STREAM_MISUSED', `@Flow() class Etl { static result = 'rows'; ${rows} @Task({ needs: ['rows'] }) take() {} }`],
    ['STREAM_MISUSED', `@Flow() class Etl { ${rows} @Task({ needs: ['rows'] }) async *onward() {} }`],
    ['STREAM_MISUSED', `class Base { ${rows} } @Flow() class Etl extends Base { @Task({ needs: ['rows'], retries: 1 }) take() {} }`],
    [
      'STREAM_MISUSED',
      `@Flow() class Etl { ${rows} @Task({ needs: ['rows'] }) take() {} @Task({ needs: ['rows'], after: ['take'] }) b() {} }`,
    ],
    ['OPTION_INVALID', `@Flow() class Etl { ${rows} @Task({ buffer: 4 }) other() {} }`],
    ['OPTION_INVALID', `@Flow() class Etl { @Task({ maxErrorRate: { share: 0.1 } }) other() {} }`],
  ])('%s: %s', async (code, source) => {
    await expect(defineFlows(compiler, source)).rejects.toMatchObject({ code, message: expect.stringMatching(/^Etl\.\w+[: ].*\.$/) });
  });

  test.each([
    [
      'whose need only a derived class has',
      `@Flow() class Base { @Task({ needs: ['rows'] }) async *take() {} @Task({ needs: ['take'] }) end() {} } @Flow() class Etl extends Base { ${rows} }`,
    ],
    ['with a body of its own', `@Flow() class Etl { ${rows} async run() { return await this.rows(); } }`],
    ['whose stream nobody takes', `@Flow() class Etl { ${rows} }`],
  ])('but not one %s', async (_what, source) => {
    expect(await defineFlows(compiler, source)).toHaveProperty('Etl');
  });
});
