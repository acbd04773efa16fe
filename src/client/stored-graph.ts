/** Reads the stored graph of a flow. It is plain JSON of another time, so what does not fit is not a graph. */
import { z } from 'zod';

const stored = z.object({
  nodes: z.array(z.object({ name: z.string() })),
  edges: z.array(z.object({ from: z.string(), to: z.string(), kind: z.enum(['data', 'each', 'order']) })),
});

/** The parts read of a stored graph. */
export type StoredGraph = z.infer<typeof stored>;

/** The graph, or null if it is not one. */
export function storedGraph(graph: unknown): StoredGraph | null {
  const read = stored.safeParse(graph);
  return read.success ? read.data : null;
}
