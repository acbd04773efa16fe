/**
 * One base class and one table of codes for every error that Batuta reports.
 *
 * There are three kinds: the user's flow failed (a state of the run, never thrown at the user as a `BatutaError`), a refusal (the caller
 * can fix it; most codes here), and a bug of ours (`INTERNAL`).
 */
import { withoutHiddenIn } from './hidden-values.ts';
import { maskText } from './mask.ts';

/** Where in a flow's life the error arose. */
export type ErrorStage = 'config' | 'load' | 'define' | 'params' | 'run' | 'store' | 'broker' | 'server' | 'cli';

interface CodeEntry {
  readonly stage: ErrorStage;
  /** Exit status of the command line: 1 failure, 2 wrong usage. */
  readonly exit: 1 | 2;
  readonly summary: string;
}

/** All codes. A code is never renamed or reused. */
export const errorCodes = {
  CONFIG_INVALID: { stage: 'config', exit: 2, summary: 'A setting has a value that is not allowed.' },
  DURATION_INVALID: { stage: 'define', exit: 2, summary: 'A text or number is not a duration.' },
  DECORATOR_MISPLACED: { stage: 'define', exit: 2, summary: 'A decorator is used where it has no effect.' },
  OPTION_INVALID: {
    stage: 'define',
    exit: 2,
    summary: 'An option of a decorator, or of what is submitted, has a value that is not allowed.',
  },
  OPTION_UNKNOWN: { stage: 'define', exit: 2, summary: 'An option of a decorator or a call does not exist, or not yet.' },
  NAME_INVALID: { stage: 'define', exit: 2, summary: 'A name holds a character that is not allowed.' },
  FLOW_DUPLICATE: { stage: 'define', exit: 2, summary: 'Two flows have the same name.' },
  TASK_DUPLICATE: { stage: 'define', exit: 2, summary: 'Two tasks of a flow have the same name.' },
  TASK_FOREIGN: { stage: 'run', exit: 1, summary: 'A code flow called a task of another class.' },
  NEED_UNKNOWN: { stage: 'define', exit: 2, summary: 'A task needs something that is no task of its flow.' },
  GRAPH_CYCLE: { stage: 'define', exit: 2, summary: 'Tasks need each other in a circle.' },
  STREAM_MISUSED: { stage: 'define', exit: 2, summary: 'A stream is used as it cannot be, or read twice.' },
  STREAM_DEADLOCK: { stage: 'run', exit: 1, summary: 'Tasks that are connected by streams wait for each other.' },
  RECORD_INVALID: { stage: 'run', exit: 1, summary: 'A file or stream holds what cannot be read as records.' },
  TOO_MANY_REJECTS: { stage: 'run', exit: 1, summary: 'A task has rejected a larger share of its records than is allowed.' },
  REJECTS_MISSING: { stage: 'cli', exit: 1, summary: 'A run has rejected no records that could be given to its tasks again.' },
  STREAM_STOPPED: { stage: 'run', exit: 1, summary: 'A task was stopped because one that it is connected with by streams has failed.' },
  FLOW_EMPTY: { stage: 'define', exit: 2, summary: 'A flow has neither tasks nor a run method.' },
  PIPELINE_INVALID: { stage: 'define', exit: 2, summary: 'A list of steps, or its YAML, is invalid.' },
  PIPELINE_CYCLE: {
    stage: 'define',
    exit: 2,
    summary: 'Pipelines contain each other in a circle, or run each other in code without an end.',
  },
  STEP_UNKNOWN: { stage: 'define', exit: 2, summary: 'YAML names a function or pipeline that is not there.' },
  STEP_RESULT_INVALID: { stage: 'run', exit: 1, summary: 'A step returned something that is not an object, or a list that is not a list.' },
  STEP_CLASH: { stage: 'run', exit: 1, summary: 'A step of a strict pipeline returned a field that is already in the data.' },
  FILE_NOT_FOUND: { stage: 'load', exit: 2, summary: 'The flow file does not exist.' },
  FILE_NOT_COMPILED: { stage: 'load', exit: 1, summary: 'The flow file has a syntax or import error.' },
  FILE_NOT_LOADED: { stage: 'load', exit: 1, summary: 'The flow file threw while it was loaded.' },
  PACKAGE_MISSING: { stage: 'load', exit: 1, summary: 'A package is not installed, or has no file for this platform.' },
  SOURCE_REFUSED: { stage: 'load', exit: 1, summary: 'A row names a file that may not be loaded.' },
  FLOW_NOT_FOUND: { stage: 'load', exit: 2, summary: 'No flow of that name or class is known.' },
  FLOW_AMBIGUOUS: { stage: 'load', exit: 2, summary: 'A file holds several flows and none was chosen.' },
  PARAMS_INVALID: { stage: 'params', exit: 2, summary: 'The parameters do not fit the schema of the flow.' },
  PARAMS_NOT_JSON: { stage: 'params', exit: 2, summary: 'The text given as parameters is not a JSON object.' },
  RESULT_NOT_SERIALIZABLE: { stage: 'run', exit: 1, summary: 'A task returned a value that cannot be stored.' },
  CACHE_KEY_INVALID: { stage: 'run', exit: 1, summary: 'The inputs of a cached task, or its cache key, cannot be told apart from others.' },
  ARTIFACT_INVALID: { stage: 'run', exit: 1, summary: 'An artifact has a name, key or content that is not allowed.' },
  ARTIFACT_TYPE: { stage: 'run', exit: 1, summary: 'The bytes of an artifact are not of the type that it is said to be.' },
  ARTIFACT_TOO_LARGE: { stage: 'run', exit: 1, summary: 'An artifact is larger than is allowed.' },
  ARTIFACT_NOT_FOUND: { stage: 'cli', exit: 1, summary: 'No artifact has that id, or nothing was given under that key.' },
  RUN_PINNED: { stage: 'run', exit: 1, summary: 'A run is pinned to a version of its flow that is not here.' },
  STREAM_VALUE_TOO_LARGE: { stage: 'run', exit: 1, summary: 'A value that a run emits is too large.' },
  STREAM_VALUE_INVALID: {
    stage: 'run',
    exit: 1,
    summary: 'A value that a run emits does not match what its flow declares for the stream.',
  },
  STREAM_FULL: { stage: 'run', exit: 1, summary: 'A run has emitted as much as it may.' },
  RESULT_MISSING: { stage: 'run', exit: 1, summary: 'A stored result is gone or damaged.' },
  MIDDLEWARE_MISUSED: { stage: 'run', exit: 1, summary: 'A middleware never called next, called it twice, or returned another value.' },
  CONTEXT_VALUE_MISSING: { stage: 'run', exit: 1, summary: 'No middleware has set a value that is asked for.' },
  METRIC_INVALID: { stage: 'run', exit: 1, summary: 'A metric of a flow has a name, a label or a value that is not allowed.' },
  TASK_TIMED_OUT: { stage: 'run', exit: 1, summary: 'A task took longer than its timeout.' },
  ERROR_ESCAPED: {
    stage: 'run',
    exit: 1,
    summary: 'An error was thrown past the task it belongs to: by a promise nobody awaited, a callback, or process.exit.',
  },
  FLOW_TIMED_OUT: { stage: 'run', exit: 1, summary: 'A run took longer than the timeout of its flow.' },
  RUN_CANCELLED: { stage: 'run', exit: 1, summary: 'The run was cancelled.' },
  RUN_FAILED: { stage: 'run', exit: 1, summary: 'The run failed.' },
  ROLLBACK_INCOMPLETE: { stage: 'run', exit: 1, summary: 'A run was rolled back, and not all that its tasks had done could be undone.' },
  RUN_NOT_FOUND: { stage: 'run', exit: 2, summary: 'No run has that id.' },
  RUN_OWNED: { stage: 'run', exit: 1, summary: 'Another process holds the run.' },
  RUN_REPORTED: { stage: 'run', exit: 2, summary: 'The run is executed elsewhere and only reported here.' },
  RUN_STATE_REFUSED: { stage: 'run', exit: 2, summary: 'The run is not in a state that allows this.' },
  LEASE_LOST: { stage: 'run', exit: 1, summary: 'Another process has taken the run over.' },
  RUN_SUSPENDED: { stage: 'run', exit: 1, summary: 'The run is only waiting, and continues by itself later.' },
  WAIT_TIMED_OUT: { stage: 'run', exit: 1, summary: 'A signal or a decision did not come in time.' },
  SHUTDOWN: { stage: 'run', exit: 1, summary: 'The process is shutting down.' },
  ISOLATION_UNAVAILABLE: { stage: 'run', exit: 2, summary: 'A task asks for a thread or process, but its flow file is not known.' },
  ISOLATE_ENDED: { stage: 'run', exit: 1, summary: 'The thread or process of a task ended before the task did.' },
  TASK_OUT_OF_MEMORY: { stage: 'run', exit: 1, summary: 'A task used more memory than its thread or process may have.' },
  BUFFER_MOVED: { stage: 'run', exit: 1, summary: 'Bytes are used that were moved to another thread before.' },
  INSTANTIATE_FAILED: { stage: 'run', exit: 1, summary: 'No instance of a flow could be made.' },
  RESOURCE_OPEN_FAILED: { stage: 'run', exit: 1, summary: 'A resource could not be opened, or not in time.' },
  RESOURCE_CLOSE_FAILED: { stage: 'run', exit: 1, summary: 'A resource could not be closed, or not in time.' },
  RESOURCE_CLOSED: { stage: 'run', exit: 1, summary: 'A resource is used before it is open, or after it was closed.' },
  RESOURCE_SCOPE: { stage: 'run', exit: 2, summary: 'A resource is used where it would be closed too early.' },
  RESOURCE_CYCLE: { stage: 'run', exit: 2, summary: 'Resources use each other in a circle.' },
  RESOURCE_DUPLICATE: { stage: 'run', exit: 2, summary: 'Two resources of a run have the same name.' },
  TRANSACTION_UNSUPPORTED: { stage: 'run', exit: 2, summary: 'The resource of a transaction is not a database with transactions.' },
  TRANSACTION_ENDED: { stage: 'run', exit: 1, summary: 'A transaction was used after its end, or told to end by a statement.' },
  TRANSACTION_NESTED: { stage: 'run', exit: 1, summary: 'Code within a transaction on SQLite asked for its connection again.' },
  EFFECTS_UNAVAILABLE: { stage: 'run', exit: 2, summary: 'The table batuta_effects cannot be made or read.' },
  EFFECT_NOT_RECORDED: { stage: 'run', exit: 1, summary: 'The effect of a task could not be recorded; its transaction was rolled back.' },
  OBJECT_NOT_FOUND: { stage: 'run', exit: 1, summary: 'An object storage has no object of that key.' },
  HTTP_FAILED: { stage: 'run', exit: 1, summary: 'A request of an HTTP client was not answered, or with an error.' },
  STORE_UNAVAILABLE: { stage: 'store', exit: 1, summary: 'The database cannot be reached or opened.' },
  STORE_READ_ONLY: { stage: 'store', exit: 1, summary: 'The database or its folder cannot be written.' },
  STORE_CORRUPT: { stage: 'store', exit: 1, summary: 'The database file is damaged or no database.' },
  STORE_NEWER: { stage: 'store', exit: 1, summary: 'The database was made by a newer Batuta.' },
  STORE_FULL: { stage: 'store', exit: 1, summary: 'The disk is full.' },
  BROKER_UNAVAILABLE: { stage: 'broker', exit: 1, summary: 'The broker of tickets cannot be reached.' },
  FILTER_INVALID: { stage: 'store', exit: 2, summary: 'A filter, limit or cursor of a list is not understood.' },
  SCHEDULE_INVALID: { stage: 'define', exit: 2, summary: 'A schedule has a part that is not allowed.' },
  SCHEDULE_TOO_COSTLY: { stage: 'define', exit: 2, summary: 'The ticks of a schedule would take too long to find.' },
  DEPLOYMENT_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No deployment has that name, or no schedule of it.' },
  TRIGGER_INVALID: { stage: 'define', exit: 2, summary: 'A trigger of a deployment has a part that is not allowed.' },
  TRIGGER_CYCLE: { stage: 'define', exit: 2, summary: 'Deployments would start each other in a circle.' },
  EVENT_INVALID: { stage: 'params', exit: 2, summary: 'An event has a name, an id or a payload that is not allowed.' },
  EVENT_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No event has that id.' },
  WEBHOOK_INVALID: { stage: 'params', exit: 2, summary: 'A webhook has a part that is not allowed.' },
  WEBHOOK_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No webhook has that name.' },
  WEBHOOK_REFUSED: { stage: 'server', exit: 1, summary: 'A delivery to a webhook is not signed as it must be.' },
  WEBHOOK_UNVERIFIABLE: {
    stage: 'server',
    exit: 1,
    summary: 'Deliveries to a webhook cannot be verified, for its secrets cannot be read.',
  },
  ALERT_DECLARED: {
    stage: 'params',
    exit: 2,
    summary: 'A rule of alerts is declared in a configuration file, and can only be changed there.',
  },
  ALERT_INVALID: { stage: 'params', exit: 2, summary: 'A rule of alerts, or a silence, has a part that is not allowed.' },
  ALERT_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No alert has that id.' },
  ALERT_RULE_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No rule of alerts has that name.' },
  SILENCE_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No silence has that id.' },
  ERROR_GROUP_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No run has ended with an error of that key.' },
  BACKFILL_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No backfill has that id.' },
  BACKFILL_TOO_LARGE: { stage: 'params', exit: 2, summary: 'A backfill would make more runs than is done unasked.' },
  CACHE_ENTRY_NOT_FOUND: { stage: 'store', exit: 2, summary: 'The cache has no entry of that id.' },
  INBOX_ITEM_NOT_FOUND: { stage: 'store', exit: 2, summary: 'The inbox has no such decision.' },
  DECISION_INVALID: { stage: 'params', exit: 2, summary: 'An answer does not fit the form of its decision.' },
  DECISION_REFUSED: { stage: 'run', exit: 2, summary: 'A decision was made already, its time is over, or its run has ended.' },
  DECISION_LINK_INVALID: { stage: 'server', exit: 2, summary: 'A link to decide was changed, cut, or signed with another key.' },
  DECISION_LINK_EXPIRED: { stage: 'server', exit: 2, summary: 'The time of a link to decide is over.' },
  DECISION_LINK_NOT_YOURS: { stage: 'server', exit: 2, summary: 'A link to decide is for somebody else.' },
  LIMIT_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No limit has that name.' },
  KEY_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No API key has that id.' },
  PAYLOAD_UNREADABLE: { stage: 'store', exit: 1, summary: 'A recorded value is encrypted with a key that is not set, or damaged.' },
  SECRET_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No secret has that name.' },
  SECRET_KEY_MISSING: { stage: 'config', exit: 1, summary: 'A secret is encrypted, or to be, and no key is set.' },
  SECRET_KEY_WRONG: { stage: 'config', exit: 1, summary: 'A secret is encrypted with a key that is not set.' },
  SECRET_UNREADABLE: { stage: 'run', exit: 1, summary: 'A secret cannot be had from where it is kept, or is damaged.' },
  SECRET_EXPOSED: { stage: 'run', exit: 1, summary: 'A result, or parameters, hold the value of a secret.' },
  VARIABLE_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No variable has that name.' },
  VARIABLE_INVALID: { stage: 'run', exit: 1, summary: 'The value of a variable does not fit the schema it is read with.' },
  CONNECTION_NOT_FOUND: { stage: 'store', exit: 2, summary: 'No connection has that name.' },
  CONNECTION_INVALID: { stage: 'params', exit: 2, summary: 'The fields of a connection do not fit its kind.' },
  REPORTER_UNKNOWN: { stage: 'server', exit: 1, summary: 'The server knows no such reporter, or another one has its id.' },
  REPORTER_REPLACED: { stage: 'server', exit: 1, summary: 'A newer version of this reporter has taken its place.' },
  REPORT_GAP: { stage: 'server', exit: 1, summary: 'A batch of reports follows items that the server does not have.' },
  REQUEST_INVALID: { stage: 'server', exit: 2, summary: 'A request to the API is invalid.' },
  NOT_FOUND: { stage: 'server', exit: 2, summary: 'The API has no such address.' },
  METHOD_NOT_ALLOWED: { stage: 'server', exit: 2, summary: 'An address of the API does not take that method.' },
  UNAUTHENTICATED: { stage: 'server', exit: 2, summary: 'The server requires an API key, or another one.' },
  FORBIDDEN: { stage: 'server', exit: 2, summary: 'The role of the API key does not allow this.' },
  RATE_LIMITED: { stage: 'server', exit: 1, summary: 'Too many requests in a short time.' },
  SERVER_UNREACHABLE: { stage: 'server', exit: 1, summary: 'The server at BATUTA_API_URL does not answer.' },
  USAGE: { stage: 'cli', exit: 2, summary: 'The command line is invalid.' },
  INTERNAL: { stage: 'run', exit: 1, summary: 'A bug in Batuta.' },
} as const satisfies Record<string, CodeEntry>;

/** A stable code, e.g. `'PARAMS_INVALID'`. */
export type ErrorCode = keyof typeof errorCodes;

/** Further facts about an error; plain data, safe to print. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * Base of every error Batuta throws.
 *
 * The message says what, which, and what to do. `details` has ids and names; `cause` the error below, if any.
 */
export class BatutaError extends Error {
  override readonly name: string = 'BatutaError';
  readonly code: ErrorCode;
  readonly stage: ErrorStage;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { readonly details?: ErrorDetails; readonly cause?: unknown } = {}) {
    super(maskText(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.stage = errorCodes[code].stage;
    this.details = maskDetails(options.details ?? {});
  }

  /** Exit status for a command line: 1 failure, 2 wrong usage. */
  get exitCode(): 1 | 2 {
    return errorCodes[this.code].exit;
  }
}

/** What was given, with secrets in texts masked. */
function maskDetails(details: ErrorDetails): ErrorDetails {
  const masked = Object.entries(details).flatMap(([name, value]) => {
    const text = typeof value === 'string' ? maskText(value) : withoutHiddenIn(value);
    return text === value ? [] : [[name, text] as const];
  });
  return masked.length === 0 ? details : { ...details, ...Object.fromEntries(masked) };
}

/** Kinds of user errors that we know, see `model/flow-error.ts`. */
export type ErrorKind = 'FlowError' | 'RetryAfter' | 'NonRetryable' | 'ValidationError';

/** Key of an error class's kind; shared by all copies of the library. */
export const errorKind: unique symbol = Symbol.for('batuta.errorKind') as never;

/** The kind of an error, of this or another copy of the library; null for others. */
export function kindOf(error: unknown): ErrorKind | null {
  if (!(error instanceof Error) || !(errorKind in error)) return null;
  return error[errorKind] as ErrorKind;
}

/** Whether a value is a `BatutaError` (of this or another copy of the library), optionally of one code. Never throws. */
export function isBatutaError(value: unknown, code?: ErrorCode): value is BatutaError {
  try {
    return (
      value instanceof Error &&
      !(errorKind in value) &&
      'code' in value &&
      'stage' in value &&
      typeof value.code === 'string' &&
      value.code in errorCodes &&
      (code === undefined || value.code === code)
    );
  } catch {
    // A user's proxy or getter threw.
    return false;
  }
}
