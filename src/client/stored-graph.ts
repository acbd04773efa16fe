/** Reads the graph that is stored of a flow. It is plain JSON of another time, so what does not fit is no graph. */
import { z } from 'zod';

const stored = z.object({
  nodes: z.array(z.object({ name: z.string() })),
  edges: z.array(z.object({ from: z.string(), to: z.string(), kind: z.enum(['data', 'each', 'order']) })),
});

/** What is known of a stored graph. */
export type StoredGraph = z.infer<typeof stored>;

/** The graph, or null when it is none. */
export function storedGraph(graph: unknown): StoredGraph | null {
  const read = stored.safeParse(graph);
  return read.success ? read.data : null;
}
