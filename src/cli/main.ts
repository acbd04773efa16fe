#!/usr/bin/env node
/** Entry point of the `batuta` command. Loads as little as possible: each command loads its own part once chosen. */
import module from 'node:module';

// Since Node 22.1 compiled code is cached between starts, which halves the time to the first line.
(module as { enableCompileCache?: () => unknown }).enableCompileCache?.();

const { endProcess, runCli } = await import('./run-cli.ts');
endProcess(await runCli(process.argv.slice(2)));
