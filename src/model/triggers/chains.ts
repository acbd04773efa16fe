/** Chains of deployments that start each other, and those that feed themselves. Pure. */
import { endWords, meansEnd, sourceText, type Trigger } from './trigger.ts';

/** A deployment in a chain: runs created by its triggers have exactly its tags. */
export interface ChainLink {
  readonly name: string;
  readonly flow: string;
  readonly tags: readonly string[];
  readonly triggers: readonly Pick<Trigger, 'rule'>[];
}

interface Step {
  readonly to: string;
  readonly source: string;
}

/**
 * A cycle of deployments in which each is started by an end of the one before, in words (`a → completed:a → b → failed:b → a`); null if
 * there is none. Only cycles through one of `changed` are searched. Events emitted inside flows are not visible here.
 */
export function selfFeeding(links: readonly ChainLink[], changed: readonly string[]): string | null {
  const steps = stepsOf(links);
  for (const start of changed) {
    const circle = circleFrom(start, steps);
    if (circle !== null) return circle;
  }
  return null;
}

function stepsOf(links: readonly ChainLink[]): ReadonlyMap<string, readonly Step[]> {
  const named = groupBy(links, ({ name }) => name);
  const ofFlow = groupBy(links, ({ flow }) => flow);
  const steps = new Map<string, Step[]>();
  for (const { name: to, triggers } of links) {
    for (const { rule } of triggers) {
      for (const source of rule.sources) {
        if (source.kind === 'event') continue;
        const among = source.of === 'flow' ? ofFlow : named;
        for (const from of source.name === '*' ? links : (among.get(source.name) ?? [])) {
          const stateType = endWords[source.kind][0];
          if (!meansEnd(source, { deployment: from.name, flow: from.flow, stateType }, to)) continue;
          if (!rule.tags.every((tag) => from.tags.includes(tag))) continue;
          const known = steps.get(from.name) ?? [];
          known.push({ to, source: sourceText(source) });
          steps.set(from.name, known);
        }
      }
    }
  }
  return steps;
}

function groupBy(links: readonly ChainLink[], keyOf: (link: ChainLink) => string): ReadonlyMap<string, readonly ChainLink[]> {
  const groups = new Map<string, ChainLink[]>();
  for (const link of links) groups.set(keyOf(link), [...(groups.get(keyOf(link)) ?? []), link]);
  return groups;
}

/** Breadth first, to name the shortest cycle. */
function circleFrom(start: string, steps: ReadonlyMap<string, readonly Step[]>): string | null {
  const reached = new Map<string, string>([[start, start]]);
  const queue = [start];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    for (const { to, source } of steps.get(name) ?? []) {
      const words = `${reached.get(name) ?? name} → ${source} → ${to}`;
      if (to === start) return words;
      if (reached.has(to)) continue;
      reached.set(to, words);
      queue.push(to);
    }
  }
  return null;
}
