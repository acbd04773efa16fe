/**
 * `node --import batuta/register main.ts`: lets Node.js load TypeScript with decorators, in the mode the nearest tsconfig asks for, from
 * version 20.19 on. Node.js itself (22.18 and later) only strips types; it refuses decorators.
 */
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { builtFile } from '../base/installed.ts';

// Each thread started with the same flags loads this again, and Node.js keeps one set of hooks for all of them.
register(pathToFileURL(builtFile('define/register-hooks.js')).href);
