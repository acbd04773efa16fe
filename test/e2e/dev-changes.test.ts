/** `batuta dev` follows what is written in the project: flows, what they import, pipelines, the configuration file. */
import { describe, expect, it } from 'vitest';
import { makeCliProject } from './cli-project.ts';
import { deploying, flows, json, project, startDev, submitAndWatch } from './dev-project.ts';

describe('batuta dev', () => {
  it('new runs take the new version of what a flow imports, and a new file is found', async () => {
    const dev = await startDev();
    expect((await submitAndWatch('say')).result).toBe('first');
    project.write('lib/word.ts', `export const word = 'second';`);
    await dev.sees('say changed');
    expect((await submitAndWatch('say')).result).toBe('second');
    project.write(
      'flows/deep/other.ts',
      `import { Flow, Task } from 'batuta'; @Flow() export class Other { @Task() async one() { return 1; } }`,
    );
    await dev.sees('other is new');
    expect((await submitAndWatch('other')).result).toBe(1);
  });

  it('a file that does not compile is told, and its last good version stays', async () => {
    const dev = await startDev();
    project.write('flows/all.ts', `${flows}\nclass {`);
    await dev.sees('error FILE_NOT_COMPILED: flows/all.ts:');
    const overHttp = { BATUTA_API_URL: dev.url };
    expect((await project.batutaWith(overHttp, 'deploy', 'say', '--name', 'meanwhile')).status).toBe(0);
    const ran = await project.batutaWith(overHttp, 'deployment', 'run', 'meanwhile', '--watch', '--json');
    expect(JSON.parse(ran.stdout)).toMatchObject({ result: 'first' });
    project.write('flows/all.ts', flows.replace('return word', 'return word + word'));
    await dev.sees('say changed');
    expect((await submitAndWatch('say')).result).toBe('firstfirst');
  });

  it('new runs take the new version of a pipeline whose YAML has changed; one that is wrong is told with its place', async () => {
    const yaml = (step: string): string => `pipeline: told\nsteps:\n  - { step: Tell, run: ${step} }\n`;
    const dev = await startDev();
    project.write('flows/told.yaml', yaml('first'));
    project.write(
      'flows/told.ts',
      `import { pipeline } from 'batuta/steps';
export const Told = pipeline.fromYaml(new URL('./told.yaml', import.meta.url), {
  functions: { first: () => ({ told: 'first' }), second: () => ({ told: 'second' }) },
});`,
    );
    await dev.sees('told is new');
    expect((await submitAndWatch('told')).result).toEqual({ told: 'first' });
    project.write('flows/told.yaml', yaml('secnd'));
    await dev.sees('error STEP_UNKNOWN');
    expect(dev.output()).toMatch(/told\.yaml:3:\d+.*second/);
    project.write('flows/told.yaml', yaml('second'));
    await dev.sees('told changed');
    expect((await submitAndWatch('told')).result).toEqual({ told: 'second' });
  });

  it('deployments follow the configuration file; a wrong one changes nothing', async () => {
    project.write('batuta.config.ts', deploying(`{ cron: '0 0 * * *' }`));
    const dev = await startDev();
    project.write('batuta.config.ts', deploying(`{ cron: '0 99 * * *' }`));
    await dev.sees('error SCHEDULE_INVALID');
    project.write('batuta.config.ts', deploying(`{ cron: '30 4 * * *' }`));
    await dev.sees('30 4 * * *');
    const view = await json<{ schedules: { schedule: { cron?: string } }[] }>('deployment', 'inspect', 'spoken');
    expect(JSON.stringify(view)).toContain('30 4 * * *');
  });

  it('begins where there are no flows yet, and takes them as they appear', async () => {
    const bare = makeCliProject({ 'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}' });
    const dev = bare.start('dev', '--port', '0');
    try {
      await dev.sees('none in flows yet');
      await dev.sees('Ctrl-C ends it');
      bare.write('flows/one.ts', `import { Flow, Task } from 'batuta'; @Flow() export class One { @Task() async one() { return 1; } }`);
      await dev.sees('one is new');
    } finally {
      dev.child.kill('SIGKILL');
      await dev.finished;
      bare.remove();
    }
  });
});
