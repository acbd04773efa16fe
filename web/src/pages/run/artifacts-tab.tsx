/** Artifacts of a run's tasks. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import { ArtifactView } from '../../values/artifact-view.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import { Time } from '../../parts/time.tsx';
import { artifactsQuery } from './run-data.ts';
import type { TabProps } from './tab-props.ts';
import style from './tabs.module.css';

/** Artifacts, oldest first. */
export function ArtifactsTab({ detail: { run, counts }, tasks, onSelect }: TabProps) {
  const { data, error, refetch } = useQuery(artifactsQuery(run.id));
  useEffect(() => void refetch(), [run.state.name, counts, refetch]);
  if (data === undefined)
    return error === null ? <LoadingRows /> : <Failed what="The artifacts" error={error} retry={() => void refetch()} />;
  if (data.length === 0)
    return (
      <Empty title="No artifacts">
        A task shows tables, Markdown, charts, images, files and more with <code>ctx.artifact</code>, and they appear here.
      </Empty>
    );
  const taskOf = (id: string | null): string | null => tasks.rows.find((row) => row.id === id)?.name ?? null;
  return (
    <div className={style.stack}>
      {data.map((artifact) => {
        const task = taskOf(artifact.taskRunId);
        return (
          <Panel
            key={artifact.id}
            title={artifact.name}
            aside={
              <>
                {task === null ? null : (
                  <button type="button" className={style.linkButton} onClick={() => onSelect(artifact.taskRunId)}>
                    {task}
                  </button>
                )}
                {artifact.key ? (
                  <Link to="/artifacts/versions" search={{ key: artifact.key }} className={style.link}>
                    versions
                  </Link>
                ) : null}
                <span>{artifact.kind}</span>
                <Time at={artifact.createdAt} />
              </>
            }
          >
            <div className={style.padded}>
              <ArtifactView id={artifact.id} kind={artifact.kind} data={artifact.data} name={artifact.name} />
            </div>
          </Panel>
        );
      })}
    </div>
  );
}
