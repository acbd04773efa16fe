/** The stored graph of a flow, parsed tolerantly: an older or newer Batuta may have written the JSON. Pure. */

/** Properties of a task before any run. */
export interface StoredTask {
  readonly name: string;
  readonly description: string | null;
  readonly needs: readonly string[];
  readonly after: readonly string[];
  /** Task whose list it maps over. */
  readonly each: string | null;
  readonly conditional: boolean;
  readonly trigger: string;
  readonly retries: number;
  readonly timeoutMs: number | null;
  /** `thread` or `process`; null: the thread of its run. */
  readonly isolate: string | null;
  /** Most memory of that thread or process, bytes. */
  readonly memoryBytes: number | null;
  /** Whether it keeps CPU profiles. */
  readonly profile: boolean;
  /** Number of slots it takes. */
  readonly slots: number;
  readonly spread: boolean;
  readonly queue: string | null;
  readonly tags: readonly string[];
}

export type EdgeKind = 'data' | 'each' | 'order';

export interface StoredEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
}

export interface StoredGraph {
  readonly tasks: readonly StoredTask[];
  readonly edges: readonly StoredEdge[];
}

/** Its readable parts; those of another shape are left out, as are edges without their ends. */
export function readStoredGraph(graph: unknown): StoredGraph {
  const { nodes, edges } = fieldsOf(graph);
  const tasks = listOf(nodes).flatMap((node) => {
    const task = readTask(fieldsOf(node));
    return task === null ? [] : [task];
  });
  const names = new Set(tasks.map(({ name }) => name));
  const read = listOf(edges).flatMap((edge): StoredEdge[] => {
    const { from, to, kind } = fieldsOf(edge);
    if (typeof from !== 'string' || typeof to !== 'string' || !names.has(from) || !names.has(to)) return [];
    return [{ from, to, kind: kind === 'each' || kind === 'order' ? kind : 'data' }];
  });
  return { tasks, edges: read };
}

function readTask(fields: Readonly<Record<string, unknown>>): StoredTask | null {
  const { name, trigger, retries, timeoutMs, memoryBytes, slots } = fields;
  if (typeof name !== 'string') return null;
  return {
    name,
    description: textOf(fields['description']),
    needs: textsOf(fields['needs']),
    after: textsOf(fields['after']),
    each: textOf(fields['each']),
    conditional: fields['conditional'] === true,
    trigger: typeof trigger === 'string' ? trigger : 'allSucceeded',
    retries: typeof retries === 'number' ? retries : 0,
    timeoutMs: typeof timeoutMs === 'number' ? timeoutMs : null,
    isolate: textOf(fields['isolate']),
    memoryBytes: typeof memoryBytes === 'number' ? memoryBytes : null,
    profile: fields['profile'] === true,
    slots: typeof slots === 'number' ? slots : 1,
    spread: fields['spread'] === true,
    queue: textOf(fields['queue']),
    tags: textsOf(fields['tags']),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((item): item is string => typeof item === 'string');
}
