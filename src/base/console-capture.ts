/** Turns what user code prints with `console` inside a run into log lines of that run. */
import { format, inspect } from 'node:util';

/** The part of a logger used here. */
export interface ConsoleTarget {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export interface CaptureOptions {
  /** Logger of the calling run, or undefined outside runs. Called for each line; must be quick. */
  readonly currentLogger: () => ConsoleTarget | undefined;
  /** Default: the global console. */
  readonly console?: Console;
}

const levelOf = {
  log: 'info',
  info: 'info',
  warn: 'warn',
  error: 'error',
  debug: 'debug',
  trace: 'info',
  dir: 'info',
  dirxml: 'info',
} as const satisfies Record<string, keyof ConsoleTarget>;

type Method = keyof typeof levelOf;
type Print = (...args: unknown[]) => void;

/** Capture of one console: its listeners, and the original methods. */
interface Capture {
  readonly finders: Set<CaptureOptions['currentLogger']>;
  readonly originals: ReadonlyMap<Method, Print>;
  readonly replacements: ReadonlyMap<Method, Print>;
  /** True while logging a line, so that a logger that itself prints with `console` does not recurse. */
  busy: boolean;
}

/** Kept behind a `Symbol.for`, so that two copies of the library do not print a line twice. */
const captureKey = Symbol.for('batuta.consoleCapture');
type CapturedConsole = Console & { [captureKey]?: Capture };

/**
 * Captures console.log, info, warn, error, debug and trace; returns a function to stop it.
 *
 * Outside a run the methods print as usual. Arguments are formatted as in Node (`%s`, objects, errors). `trace` is logged as info, with its
 * stack. Capturing several times, stopping in any order and stopping twice are harmless.
 */
export function captureConsole(options: CaptureOptions): () => void {
  const target: CapturedConsole = options.console ?? globalThis.console;
  const capture = (target[captureKey] ??= install(target));
  const finder = (): ConsoleTarget | undefined => options.currentLogger();
  capture.finders.add(finder);
  return () => {
    capture.finders.delete(finder);
    if (capture.finders.size === 0 && target[captureKey] === capture) uninstall(target, capture);
  };
}

function install(target: CapturedConsole): Capture {
  const originals = new Map<Method, Print>();
  const replacements = new Map<Method, Print>();
  const capture: Capture = { finders: new Set(), originals, replacements, busy: false };
  for (const method of Object.keys(levelOf) as Method[]) {
    const original = target[method] as Print;
    const replacement: Print = (...args) => {
      if (!logLine(capture, method, args, replacement)) original.apply(target, args);
    };
    originals.set(method, original);
    replacements.set(method, replacement);
    target[method] = replacement as Console[Method];
  }
  return capture;
}

/** A method replaced by others since is left as it is; ours below it then only passes on. */
function uninstall(target: CapturedConsole, capture: Capture): void {
  for (const [method, replacement] of capture.replacements) {
    const original = capture.originals.get(method);
    if (target[method] === replacement && original !== undefined) target[method] = original as Console[Method];
  }
  delete target[captureKey];
}

function logLine(capture: Capture, method: Method, args: readonly unknown[], caller: Print): boolean {
  if (capture.busy) return false;
  const logger = findLogger(capture);
  if (logger === undefined) return false;
  capture.busy = true;
  try {
    const message = method === 'dir' ? inspect(args[0], { customInspect: false, ...(args[1] as object | undefined) }) : format(...args);
    logger[levelOf[method]](method === 'trace' ? withStack(message, caller) : message);
  } finally {
    capture.busy = false;
  }
  return true;
}

function findLogger(capture: Capture): ConsoleTarget | undefined {
  for (const find of capture.finders) {
    const logger = find();
    if (logger !== undefined) return logger;
  }
  return undefined;
}

function withStack(message: string, caller: Print): string {
  const trace = { name: 'Trace', message, stack: '' };
  Error.captureStackTrace(trace, caller);
  return trace.stack;
}
