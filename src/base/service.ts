/** Something that runs in a process's background and can be stopped. */

/** May be started twice, stopped twice, and stopped before it was started. */
export interface Service {
  readonly name: string;
  /** Resolves once it works. Further calls return the same promise; after a stop it does nothing. */
  start(): Promise<void>;
  /** Resolves once nothing of it runs any more. Waits for a start in progress. */
  stop(): Promise<void>;
}

export interface ServiceParts {
  readonly name: string;
  /** Starts it. The signal aborts on stop, also during the start. A throw makes `start` reject; `stop` is still called. */
  start(signal: AbortSignal): Promise<void> | void;
  /** Takes down what `start` made, as far as it got. Called at most once, and only if `start` was. */
  stop?(): Promise<void> | void;
}

/** A service from what to do on start and on stop. */
export function makeService(parts: ServiceParts): Service {
  const controller = new AbortController();
  let started: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;

  async function takeDown(): Promise<void> {
    controller.abort(new Error(`${parts.name} was stopped.`));
    if (started === undefined) return;
    await started.catch(() => undefined);
    await parts.stop?.();
  }

  return {
    name: parts.name,
    start() {
      if (stopped !== undefined) return started ?? Promise.resolve();
      return (started ??= Promise.resolve().then(() => parts.start(controller.signal)));
    },
    stop() {
      return (stopped ??= takeDown());
    },
  };
}

/**
 * Several services as one: started one after another, stopped in reverse order.
 *
 * If one does not start, those before it are stopped and its error is thrown. If one does not stop, the others still are; the first error
 * is thrown at the end.
 */
export function joinServices(name: string, services: readonly Service[]): Service {
  return makeService({
    name,
    async start(signal) {
      try {
        for (const service of services) {
          if (signal.aborted) return;
          await service.start();
        }
      } catch (error) {
        await stopAll(services).catch(() => undefined);
        throw error;
      }
    },
    stop: () => stopAll(services),
  });
}

async function stopAll(services: readonly Service[]): Promise<void> {
  const errors: unknown[] = [];
  for (const service of services.toReversed()) {
    await service.stop().catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw errors[0];
}
