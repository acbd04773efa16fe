/**
 * `node --import batuta/register main.ts`: lets Node.js load TypeScript with decorators, in the mode the nearest tsconfig asks for, on every
 * version from 20.19 on. What Node.js strips by itself (22.18 and later) are types alone; decorators it refuses.
 */
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { builtFile } from '../base/installed.ts';

// Each thread that is started with the same flags loads this anew, and Node.js keeps one set of hooks for all of them.
register(pathToFileURL(builtFile('define/register-hooks.js')).href);
