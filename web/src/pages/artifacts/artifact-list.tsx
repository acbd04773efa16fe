/** A list of artifacts; each expands to its content. */
import { UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { artifactQuery } from '../../api/list-queries.ts';
import type { ArtifactRow } from '../../api/wire-types.ts';
import { Icon } from '../../parts/icon.tsx';
import { Failed, LoadingBlock } from '../../parts/notices.tsx';
import { Time } from '../../parts/time.tsx';
import { ArtifactView } from '../../values/artifact-view.tsx';
import style from './artifacts-page.module.css';

/** Kinds for people. */
export const kindNames: Readonly<Record<ArtifactRow['kind'], string>> = {
  image: 'Image',
  file: 'File',
  chart: 'Chart',
  progress: 'Progress',
  markdown: 'Markdown',
  table: 'Table',
  link: 'Link',
  json: 'JSON',
  rejects: 'Rejected records',
};

/** The rows. */
export function ArtifactList({ artifacts }: { readonly artifacts: readonly ArtifactRow[] }) {
  return (
    <ul className={style.list}>
      {artifacts.map((artifact) => (
        <Item key={artifact.id} artifact={artifact} />
      ))}
    </ul>
  );
}

function Item({ artifact }: { readonly artifact: ArtifactRow }) {
  // Closed ones are not drawn: a table may have thousands of rows.
  const [opened, setOpened] = useState(false);
  return (
    <li className={style.item}>
      <div className={style.summary}>
        <UnstyledButton className={style.name} aria-expanded={opened} onClick={() => setOpened(!opened)}>
          <span className={style.arrow}>
            <Icon name="chevron" size={14} />
          </span>
          {artifact.name}
        </UnstyledButton>
        <span className={style.kind}>{kindNames[artifact.kind]}</span>
        <span className={style.run}>
          <Link to="/runs/$id" params={{ id: artifact.runId }} search={{ tab: 'artifacts' }} className={style.link}>
            {artifact.runName}
          </Link>
          <span className={style.soft}> {artifact.flow}</span>
        </span>
        <Time at={artifact.createdAt} />
      </div>
      {opened ? (
        <div className={style.content}>
          <Content artifact={artifact} />
        </div>
      ) : null}
    </li>
  );
}

/** Long data is left out of the list; it is fetched with the artifact. */
function Content({ artifact }: { readonly artifact: ArtifactRow }) {
  const isLeftOut = artifact.data === null && artifact.chars > 'null'.length;
  const { data, error, refetch } = useQuery({ ...artifactQuery(artifact.id), enabled: isLeftOut });
  if (!isLeftOut) return <ArtifactView id={artifact.id} kind={artifact.kind} data={artifact.data} name={artifact.name} />;
  if (error !== null) return <Failed what="This artifact" error={error} retry={() => void refetch()} />;
  return data === undefined ? (
    <LoadingBlock height={96} />
  ) : (
    <ArtifactView id={data.id} kind={data.kind} data={data.data} name={data.name} />
  );
}
