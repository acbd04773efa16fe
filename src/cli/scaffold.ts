/** The files of a new project. */

/** One file to write. */
export interface ScaffoldFile {
  /** Path inside the project. */
  readonly path: string;
  readonly text: string;
  /** Created only if there was no project before. */
  readonly isForNew?: true;
}

/** Files of a project named `name` that uses this version of Batuta. */
export function scaffold({ name, version }: { readonly name: string; readonly version: string }): ScaffoldFile[] {
  return [
    { path: 'package.json', text: packageJson(name, version) },
    { path: 'tsconfig.json', text: tsconfig },
    { path: 'batuta.config.ts', text: configFile, isForNew: true },
    { path: 'flows/hello.ts', text: helloFlow },
    { path: 'test/hello.test.ts', text: helloTest, isForNew: true },
    { path: 'docker-compose.yml', text: compose.replace('NAME', composeName(name)) },
    { path: '.env.example', text: envExample },
    { path: '.gitignore', text: 'node_modules/\n.batuta/\n.env\n' },
  ];
}

/** Compose takes lowercase letters, digits, `_` and `-`, the first a letter or digit. */
function composeName(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, '-')
      .replace(/^[_-]+/, '') || 'flows'
  );
}

/** Version ranges a project needs to check its types, by package. */
const neededToCheck = { typescript: '>=5.9', '@types/node': '>=20.19' };

/** What a project with its own package.json and tsconfig.json still has to add; lines for people. */
export function stepsForExisting(kept: readonly string[], packageText: string, tsconfigText: string): string[] {
  const isMissing = (name: string): boolean => !packageText.includes(`"${name}":`);
  const [used, checking] = [['batuta', 'zod'].filter(isMissing), Object.keys(neededToCheck).filter(isMissing)];
  const packages = [
    ...(used.length === 0 ? [] : [`npm install ${used.join(' ')}`]),
    ...(checking.length === 0 ? [] : [`npm install --save-dev ${checking.join(' ')}`]),
  ];
  const hasDecorators = /"experimentalDecorators"\s*:\s*true/.test(tsconfigText);
  return [
    ...(kept.includes('package.json') && packages.length > 0 ? [packages.join(' && ')] : []),
    ...(kept.includes('tsconfig.json') && !hasDecorators
      ? ['tsconfig.json needs "experimentalDecorators": true under compilerOptions']
      : []),
  ];
}

function packageJson(name: string, version: string): string {
  const manifest = {
    name,
    private: true,
    type: 'module',
    scripts: {
      dev: 'batuta dev',
      hello: 'batuta run flows/hello.ts',
      test: 'node --import batuta/register --test test/hello.test.ts',
      check: 'tsc',
    },
    dependencies: { batuta: `^${version}`, zod: '^4.0.0' },
    devDependencies: neededToCheck,
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

const tsconfig = `{
  "compilerOptions": {
    "target": "ES2022",
    "module": "NodeNext",
    "moduleResolution": "NodeNext",
    "types": ["node"],
    "strict": true,
    "experimentalDecorators": true,
    "skipLibCheck": true,
    "allowImportingTsExtensions": true,
    "noEmit": true
  },
  "include": ["flows", "test", "*.ts"]
}
`;

const configFile = `import { defineConfig } from 'batuta';

/** Settings and deployments of this project: batuta dev follows them, batuta deploy --all deploys them. */
export default defineConfig({
  flows: ['flows'],
  deployments: [{ flow: 'hello', schedules: [{ cron: '0 9 * * MON-FRI', params: { name: 'team' } }] }],
});
`;

const helloTest = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testFlow } from 'batuta/testing';
import { Hello } from '../flows/hello.ts';

test('greets as often as it is asked to', async () => {
  const run = await testFlow(Hello, { name: 'Ada', times: 2 });
  run.expectState('Completed').expectOrder('greeting', 'say');
  assert.equal(run.result, 'Hello, Ada! Hello, Ada!');
});
`;

const helloFlow = `import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';

const params = z.object({ name: z.string().default('world'), times: z.number().int().min(1).max(100).default(3) });
type Params = z.infer<typeof params>;

/** Greets someone a few times: three tasks, two of which run side by side. */
@Flow({ params })
export class Hello {
  @Task()
  async greeting(ctx: TaskContext<Params>): Promise<string> {
    ctx.log.info({ name: ctx.params.name }, 'greeting someone');
    return \`Hello, \${ctx.params.name}!\`;
  }

  @Task()
  async numbers(ctx: TaskContext<Params>): Promise<number[]> {
    return Array.from({ length: ctx.params.times }, (_, index) => index + 1);
  }

  @Task({ needs: ['greeting', 'numbers'], retries: 2, retryDelay: '1s' })
  async say(greeting: string, numbers: number[], ctx: TaskContext<Params>): Promise<string> {
    for (const number of numbers) {
      console.log(\`\${number}: \${greeting}\`);
      ctx.progress(number, numbers.length);
    }
    return numbers.map(() => greeting).join(' ');
  }
}
`;

const compose = `# Not needed to begin: without any service everything is recorded in .batuta/batuta.db.
# What a fleet of workers stands on:
#   cp .env.example .env        # and fill it in
#   docker compose up --wait
#   export BATUTA_DATABASE_URL=postgres://batuta:POSTGRES_PASSWORD@127.0.0.1:5432/batuta
#   export BATUTA_REDIS_URL=redis://:REDIS_PASSWORD@127.0.0.1:6379
#   npx batuta doctor && npx batuta worker
name: NAME

services:
  postgres:
    image: postgres:17.6-alpine
    volumes:
      - postgres:/var/lib/postgresql/data
    environment:
      POSTGRES_DB: batuta
      POSTGRES_PASSWORD: \${POSTGRES_PASSWORD:?copy .env.example to .env and fill it in}
      POSTGRES_USER: batuta
    ports:
      - '127.0.0.1:5432:5432'
    restart: unless-stopped
    healthcheck:
      # By its port: while it is being set up it answers on its socket alone.
      test: ["CMD", "pg_isready", "--host", "127.0.0.1", "--username", "batuta", "--dbname", "batuta"]
      interval: 5s
      timeout: 5s
      start_period: 30s
      retries: 12
    # What its start script needs to give its data to its own user, and no more.
    cap_add:
      - CHOWN
      - DAC_OVERRIDE
      - FOWNER
      - SETGID
      - SETUID
    cap_drop:
      - ALL
    deploy:
      resources:
        limits:
          cpus: '2'
          memory: 1G
    read_only: true
    security_opt:
      - no-new-privileges:true
    tmpfs:
      - /run/postgresql:size=1m,mode=3777
      - /tmp:size=64m,mode=1777

  redis:
    image: redis:7.4-alpine
    volumes:
      - redis:/data
    environment:
      # Read by redis-cli, and by the command below.
      REDISCLI_AUTH: \${REDIS_PASSWORD:?copy .env.example to .env and fill it in}
    ports:
      - '127.0.0.1:6379:6379'
    # Its password comes by standard input: a command line is seen by everyone who may list processes.
    command:
      - sh
      - -c
      - |
        exec docker-entrypoint.sh redis-server - "$$@" <<END
        requirepass "$$REDISCLI_AUTH"
        END
      - redis
      - --appendonly
      - 'yes'
      - --maxmemory
      - 384mb
      - --maxmemory-policy
      - noeviction
    restart: unless-stopped
    healthcheck:
      test: ["CMD-SHELL", "redis-cli ping | grep --quiet PONG"]
      interval: 5s
      timeout: 5s
      start_period: 30s
      retries: 12
    # What its start script needs to give its data to its own user, and no more.
    cap_add:
      - CHOWN
      - DAC_OVERRIDE
      - FOWNER
      - SETGID
      - SETUID
    cap_drop:
      - ALL
    deploy:
      resources:
        limits:
          cpus: '1'
          memory: 512M
    read_only: true
    security_opt:
      - no-new-privileges:true
    tmpfs:
      - /tmp:size=16m,mode=1777

volumes:
  postgres:
  redis:
`;

const envExample = `# For docker compose: copy this file to .env and fill it in. Passwords become part of addresses: use letters and digits only.
POSTGRES_PASSWORD=
REDIS_PASSWORD=
`;
