/** Batuta inside frameworks that compile what is theirs. */
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../support/redis.ts';
import { flowText, installApp, type InstalledApp, legacyConfig } from '../installed-app.ts';

let app: InstalledApp | undefined;
afterEach(() => app?.remove());

test('NestJS, compiled to CommonJS with metadata of decorators', async () => {
  const main = `import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { run } from 'batuta';
import { Greeting } from './greeting';

@Injectable()
export class Greeter {
  greet(name: string): Promise<string> {
    return run(Greeting, { name });
  }
}
@Module({ providers: [Greeter] })
export class AppModule {}

async function main(): Promise<void> {
  const context = await NestFactory.createApplicationContext(AppModule, { logger: false });
  console.log(await context.get(Greeter).greet('Ada'));
  await context.close();
}
void main();
`;
  const compilerOptions = { ...legacyConfig, module: 'commonjs', moduleResolution: 'node10', emitDecoratorMetadata: true, outDir: 'dist' };
  app = await installApp({
    manifest: { type: 'commonjs' },
    packages: ['zod', '@nestjs/core@11', '@nestjs/common@11', 'rxjs', 'reflect-metadata', 'typescript@5.9', '@types/node@20'],
    files: { 'main.ts': main, 'greeting.ts': flowText, 'tsconfig.json': JSON.stringify({ compilerOptions, include: ['*.ts'] }) },
  });
  expect(await app.run('tsc', '-p', '.')).toEqual({ status: 0, output: '' });
  expect(await app.run('node', 'dist/main.js')).toMatchObject({ status: 0, output: expect.stringContaining('Hello, Ada!') as string });
});

test('Next.js, with Batuta among serverExternalPackages', async () => {
  const route = `import { run } from 'batuta';
import { Greeting } from '../greeting';
export const dynamic = 'force-dynamic';
export async function GET(): Promise<Response> {
  return new Response(await run(Greeting, { name: 'Ada' }));
}
`;
  const layout = `export default function Layout({ children }: { children: React.ReactNode }) {
  return <html><body>{children}</body></html>;
}
`;
  const compilerOptions = {
    ...legacyConfig,
    module: 'esnext',
    moduleResolution: 'bundler',
    jsx: 'react-jsx',
    lib: ['dom', 'esnext'],
    allowJs: true,
    noEmit: true,
    incremental: true,
    isolatedModules: true,
    resolveJsonModule: true,
  };
  app = await installApp({
    packages: ['zod', 'next@16', 'react@19', 'react-dom@19', 'typescript@5.9', '@types/node@20', '@types/react@19'],
    files: {
      'next.config.mjs': "export default { serverExternalPackages: ['batuta'] };\n",
      'tsconfig.json': JSON.stringify({ compilerOptions, include: ['app'] }),
      'app/layout.tsx': layout,
      'app/greeting.ts': flowText,
      'app/greet/route.ts': route,
    },
  });
  expect(await app.run('next', 'build')).toMatchObject({ status: 0 });
  const port = await freePort();
  let answer = '';
  await app.runUntil(`next start -H 127.0.0.1 -p ${port}`, /Ready/, {}, async () => {
    answer = await (await fetch(`http://127.0.0.1:${port}/greet`)).text();
  });
  expect(answer).toBe('Hello, Ada!');
}, 900_000);
