/**
 * The open resources of one scope: of a process, an attempt of a run, or an attempt of a task.
 *
 * Each is opened on first use, once per key, and closed with its scope, the last opened first. Requests for a resource
 * of a longer scope are passed on to it. A scope that has ended takes no requests.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { BatutaError } from '../base/errors.ts';
import type { ResourceContext, RunFacts, TaskFacts } from '../model/context.ts';
import { readConnection } from '../model/connection.ts';
import { type AnyResource, isResource, type ResourceScopeName } from '../model/resource.ts';
import type { NamedValues } from '../model/secret.ts';
import { readVariable } from '../model/variable.ts';
import { beyondReach, circleFrom, hasEnded, keyOf, type Opening, shownAs } from './checks.ts';
import { Given, Opened, type ScopeEnd, slowMs } from './opened.ts';

/** What a scope belongs to. */
export interface ScopeSource {
  readonly name: ResourceScopeName;
  readonly clock: Clock;
  readonly log: Logger;
  /** Null in the scope of a process. */
  readonly run: RunFacts | null;
  /** Null outside a task. */
  readonly task: TaskFacts | null;
  readonly params: unknown;
  /** Replacements of resources, by name; null for none. */
  readonly fakes: Fakes | null;
  /** Reader of secrets, variables and connections. */
  namedValues(): NamedValues;
  /** Follows each opening, for the record; without it nothing is recorded. Called when opening begins. */
  follow?(shown: string): OpeningFollower;
  /** Runs code of a resource in the context of its scope, so that its log lines and stray errors belong there. */
  enter<T>(work: () => T): T;
}

/** Replacements of resources, by name. Queried whenever one is opened. */
export interface Fakes {
  has(name: string): boolean;
  get(name: string): unknown;
}

/** Is notified of the progress of an opening. */
export interface OpeningFollower {
  opened(): void;
  openFailed(error: unknown): void;
  closing(): void;
  /** @param error why it could not be closed, else null */
  closed(error: unknown): void;
}

interface Entry {
  readonly opening: Opening;
  readonly opened: Opened;
  readonly follower: OpeningFollower | null;
  /** Once it is open. */
  value: { readonly value: unknown } | null;
}

export class ResourceScope {
  readonly #source: ScopeSource;
  readonly #parent: ResourceScope | null;
  readonly #entries = new Map<AnyResource, Map<string, Entry>>();
  /** In the order they were opened. */
  readonly #open: Entry[] = [];
  /** For a run: the resources it uses, by name. */
  readonly #named = new Map<string, AnyResource>();
  #closed: Promise<readonly BatutaError[]> | null = null;

  /** @param parent the next longer scope; null for that of a process */
  constructor(source: ScopeSource, parent: ResourceScope | null) {
    this.#source = source;
    this.#parent = parent;
  }

  /**
   * The value of a resource of this scope or a longer one.
   *
   * @throws BatutaError RESOURCE_OPEN_FAILED, RESOURCE_SCOPE, RESOURCE_CYCLE, RESOURCE_DUPLICATE, RESOURCE_CLOSED, OPTION_INVALID
   */
  use(resource: AnyResource, key: unknown): Promise<unknown> {
    return this.#use(resource, key, null);
  }

  /** Its value if it is currently open without a key, in this scope or a longer one; else null. */
  peek(resource: AnyResource): { readonly value: unknown } | null {
    return this.#entries.get(resource)?.get('')?.value ?? this.#parent?.peek(resource) ?? null;
  }

  /**
   * Closes open resources, the last first, each even if earlier ones could not be closed. Waits for those still being opened.
   * May be called twice.
   *
   * @param end the error of the scope; after a success, the first failure to close takes its place
   * @returns why some could not be closed; each is logged
   */
  close(end: ScopeEnd): Promise<readonly BatutaError[]> {
    this.#closed ??= this.#close(end);
    return this.#closed;
  }

  async #use(resource: AnyResource, key: unknown, asker: Opening | null): Promise<unknown> {
    if (!isResource(resource))
      throw new BatutaError('OPTION_INVALID', 'ctx.use() takes a resource, made by resource(), as its first argument.');
    const owner = this.#ownerOf(resource, asker);
    if (this.#closed !== null) throw hasEnded(shownAs(resource, key), this.#source.name);
    this.#checkName(resource);
    const { opening, opened } = owner.#entryOf(resource, key);
    if (opening.isOpen || asker === null) return await opened.value;
    const circle = circleFrom(opening, asker);
    if (circle !== null) throw circle;
    asker.waitsFor.add(opening);
    try {
      return await opened.value;
    } finally {
      asker.waitsFor.delete(opening);
    }
  }

  /** The scope that the resource is opened in. */
  #ownerOf(resource: AnyResource, asker: Opening | null): ResourceScope {
    if (this.#source.name === resource.scope) return this;
    if (this.#parent === null) throw beyondReach(resource, asker?.resource ?? null);
    return this.#parent.#ownerOf(resource, asker);
  }

  #entryOf(resource: AnyResource, key: unknown): Entry {
    const id = keyOf(resource, key);
    const keyed = this.#entries.get(resource) ?? new Map<string, Entry>();
    const known = keyed.get(id);
    if (known) return known;
    if (this.#closed !== null) throw hasEnded(shownAs(resource, key), this.#source.name);
    const entry = this.#begin(resource, key);
    this.#entries.set(resource, keyed.set(id, entry));
    entry.opened.value.then(
      (value) => {
        entry.opening.isOpen = true;
        entry.value = { value };
        this.#open.push(entry);
        entry.follower?.opened();
      },
      (error: unknown) => {
        // The next caller tries again.
        keyed.delete(id);
        entry.follower?.openFailed(error);
      },
    );
    return entry;
  }

  #begin(resource: AnyResource, key: unknown): Entry {
    const { clock, log } = this.#source;
    const { openTimeoutMs, closeTimeoutMs, name } = resource;
    const opening: Opening = { resource, shown: shownAs(resource, key), waitsFor: new Set(), isOpen: false };
    const { shown } = opening;
    const follower = this.#source.follow?.(shown) ?? null;
    const opened = new Opened({
      ...{ shown, clock, openTimeoutMs, closeTimeoutMs },
      enter: (work) => this.#source.enter(work),
      onLate: (error) =>
        error === null
          ? log.warn({ resource: name }, `The resource ${shown} was open only after its timeout; it was closed again.`)
          : log.warn({ resource: name, err: error }, `The resource ${shown} was not open in time, and has failed since.`),
      onSlow: (doing) => log.warn({ resource: name }, `The resource ${shown} has been ${doing} for ${formatDuration(slowMs)}.`),
      call: (signal) => this.#openerOf(resource)(this.#contextFor(opening, signal), key),
    });
    return { opening, opened, follower, value: null };
  }

  /** The function of the resource, or its replacement. */
  #openerOf({ name, open }: AnyResource): AnyResource['open'] {
    const { fakes } = this.#source;
    if (!fakes?.has(name)) return open;
    const fake = fakes.get(name);
    return typeof fake === 'function' ? (fake as AnyResource['open']) : () => new Given(fake);
  }

  #contextFor(opening: Opening, signal: AbortSignal): ResourceContext {
    const source = this.#source;
    const { name, scope } = opening.resource;
    let log: Logger | null = null;
    return {
      ...{ name, scope, signal, run: source.run, task: source.task },
      get params() {
        return source.params;
      },
      get log() {
        return (log ??= source.log.child({ resource: opening.shown }));
      },
      secret: (name) => source.namedValues().secret(name),
      variable: (of: string, schema?: StandardSchemaV1) => readVariable(source.namedValues(), of, schema ?? null),
      connection: (of, kind) => readConnection(source.namedValues(), of, kind),
      use: ((resource: AnyResource, key: unknown) => this.#use(resource, key, opening)) as ResourceContext['use'],
    };
  }

  /** Two different resources of one run may not have the same name: tests and timelines identify them by it. */
  #checkName(resource: AnyResource): void {
    if (this.#source.name === 'task' && this.#parent !== null) return this.#parent.#checkName(resource);
    if (this.#source.name === 'worker') return;
    const known = this.#named.get(resource.name);
    if (known === undefined) this.#named.set(resource.name, resource);
    else if (known !== resource)
      throw new BatutaError(
        'RESOURCE_DUPLICATE',
        `Two resources of this run are named '${resource.name}'. Declare it once and import it, or give one of them another name.`,
        { details: { resource: resource.name } },
      );
  }

  async #close(end: ScopeEnd): Promise<readonly BatutaError[]> {
    const faults: BatutaError[] = [];
    const underWay = [...this.#entries.values()].flatMap((keyed) => [...keyed.values()]).filter(({ opening }) => !opening.isOpen);
    for (const { opened, opening } of underWay) opened.discourage(end?.error ?? hasEnded(opening.shown, this.#source.name));
    await Promise.allSettled(underWay.map(({ opened }) => opened.value));
    for (const { opened, opening, follower } of this.#open.reverse()) {
      const [fault] = faults;
      follower?.closing();
      try {
        await opened.close(end ?? (fault ? { error: fault } : null));
        follower?.closed(null);
      } catch (error) {
        this.#source.log.error({ err: error, resource: opening.resource.name }, error instanceof Error ? error.message : String(error));
        faults.push(error as BatutaError);
        follower?.closed(error);
      }
    }
    this.#entries.clear();
    return faults;
  }
}
