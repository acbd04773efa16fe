/** `batuta deployment versions`: what was deployed when, and what each version changed. */
import { deployChanges } from '../../client/deploy-changes.ts';
import type { DeployChange, GraphChange } from '../../client/deployments-client.ts';
import { declaredOf } from '../../client/declared-params.ts';
import { graphChange } from '../../client/graph-changes.ts';
import type { DeploymentVersion } from '../../model/deployment.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { changeLine, graphLines } from '../render/deploy-lines.ts';
import { isoOrNull, localMinute } from '../render/times.ts';

interface Difference {
  readonly changes: readonly DeployChange[];
  readonly graph: GraphChange | null;
}

/** Prints the versions, newest first; with `--json` an array of `{ version, flowVersion, at, changes, graph }`. */
export async function listVersions(context: CommandContext, name: string, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { terminal } = context;
  const versions = await withClient(context, ({ deployments }) => deployments.versions(name));
  const listed = versions.map((version, at) => ({ version, ...differenceOf(versions[at + 1], version) }));
  if (options.json) {
    return printJson(
      terminal,
      listed.map(({ version: { version, flowVersion, at }, changes, graph }) => ({
        version,
        flowVersion,
        at: isoOrNull(at),
        changes,
        graph,
      })),
    );
  }
  const { out } = terminal;
  const { paint } = out;
  for (const { version, changes, graph } of listed) {
    out.line(
      `${paint.bold(`version ${version.version}`)}  ${localMinute(version.at)}  ${paint.dim(`flow version ${version.flowVersion}`)}`,
    );
    for (const change of changes) out.line(`  ${changeLine(change, paint)}`);
    for (const line of graph ? graphLines(graph, paint) : []) out.line(`  ${line}`);
  }
  return 0;
}

/** Nothing for the first, and for what is kept of another Batuta. Where it was written and by whom is not kept with a version. */
function differenceOf(before: DeploymentVersion | undefined, after: DeploymentVersion): Difference {
  const [was, is] = [before && declaredOf(before), declaredOf(after)];
  if (!before || !was || !is) return { changes: [], graph: null };
  const facts = { source: null, origin: '' };
  return {
    changes: deployChanges({ ...was, ...facts, flowVersion: before.flowVersion }, { ...is, ...facts, flowVersion: after.flowVersion }),
    graph: graphChange(before.graph, after.graph),
  };
}
