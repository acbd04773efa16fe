/** The files of a new project. */

/** One file to write. */
export interface ScaffoldFile {
  /** Path inside the project. */
  readonly path: string;
  readonly text: string;
}

/** Files of a project called `name` that uses this version of Batuta. */
export function scaffold({ name, version }: { readonly name: string; readonly version: string }): ScaffoldFile[] {
  return [
    { path: 'package.json', text: packageJson(name, version) },
    { path: 'tsconfig.json', text: tsconfig },
    { path: 'flows/hello.ts', text: helloFlow },
    { path: 'docker-compose.yml', text: compose },
    { path: '.gitignore', text: 'node_modules/\n.batuta/\n' },
  ];
}

function packageJson(name: string, version: string): string {
  const manifest = {
    name,
    private: true,
    type: 'module',
    scripts: { hello: 'batuta run flows/hello.ts', runs: 'batuta runs ls', check: 'tsc' },
    dependencies: { batuta: `^${version}`, zod: '^4.0.0' },
    devDependencies: { typescript: '>=5.9', '@types/node': '>=20.19' },
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
    "noEmit": true
  },
  "include": ["flows"]
}
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
# To record in PostgreSQL instead:
#   docker compose up -d
#   export BATUTA_DATABASE_URL=postgres://batuta:batuta@127.0.0.1:5432/batuta
services:
  postgres:
    image: postgres:17-alpine
    environment:
      POSTGRES_USER: batuta
      POSTGRES_PASSWORD: batuta
      POSTGRES_DB: batuta
    ports:
      - "127.0.0.1:5432:5432"
    volumes:
      - postgres:/var/lib/postgresql/data
    healthcheck:
      test: ["CMD-SHELL", "pg_isready -U batuta"]
      interval: 2s
      timeout: 2s
      retries: 15

volumes:
  postgres:
`;
