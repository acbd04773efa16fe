/** Labels of the task runs of a run, read page by page as log lines refer to them. */
import type { Client } from '../client/client.ts';
import { taskLabel } from './log-text.ts';

const pageSize = 1_000;

/** Labels of the task runs of one run; grows on demand, in the order they were recorded. */
export class TaskLabels {
  readonly #client: Client;
  readonly #runId: string;
  readonly #labels = new Map<string, string>();
  /** Start of the page that was last when read: later records are in it, or after it. */
  #lastPage: string | undefined;

  constructor(client: Client, runId: string) {
    this.#client = client;
    this.#runId = runId;
  }

  /** Reads on until all of these are known, or there are no more. */
  async learn(ids: Iterable<string | null>): Promise<void> {
    const unknown = new Set([...ids].filter((id) => id !== null && !this.#labels.has(id)));
    while (unknown.size > 0) {
      const cursor = this.#lastPage;
      const { items, next } = await this.#client.runs.taskRuns(this.#runId, {
        limit: pageSize,
        values: false,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const taskRun of items) {
        this.#labels.set(taskRun.id, taskLabel(taskRun));
        unknown.delete(taskRun.id);
      }
      if (next === null) return;
      this.#lastPage = next;
    }
  }

  /** Null for the run itself, and for unknown ones. */
  of(taskRunId: string | null): string | null {
    return taskRunId === null ? null : (this.#labels.get(taskRunId) ?? null);
  }
}
