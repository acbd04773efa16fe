import { describe, expect, test } from 'vitest';
import { loadConfigFile } from '../../src/define/load-config-file.ts';
import { ownProject } from '../support/flow-files.ts';

describe('the configuration file', () => {
  test('is loaded when it is there', async () => {
    const { path, write } = ownProject();
    expect(await loadConfigFile(path)).toBeNull();
    write('batuta.config.ts', `import { defineConfig } from 'batuta';\nexport default defineConfig({ flows: 'jobs' as string });`);
    expect(await loadConfigFile(path)).toEqual({ name: 'batuta.config.ts', config: { flows: 'jobs' } });
  });
});
