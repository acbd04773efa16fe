/** The settings of the server with their sources; the server masks secrets. */
import { useQuery } from '@tanstack/react-query';
import { settingsQuery } from '../../api/list-queries.ts';
import type { SettingRow } from '../../api/wire-types.ts';
import { Failed, LoadingRows } from '../../parts/notices.tsx';
import table from '../../parts/table.module.css';
import style from './settings.module.css';

/** Retention as a sentence, then every setting. */
export function ValuesTab() {
  const { data, error, refetch } = useQuery(settingsQuery);
  if (data === undefined)
    return error === null ? <LoadingRows /> : <Failed what="The settings" error={error} retry={() => void refetch()} />;
  return (
    <div className={style.tab}>
      <p>{retentionSentence(data)}</p>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Setting</th>
            <th>Value</th>
            <th>From</th>
            <th>Variable</th>
          </tr>
        </thead>
        <tbody>
          {data.map(({ name, value, source, env }) => (
            <tr key={name}>
              <td className={table.strong}>{name}</td>
              <td className={style.value}>{value === '' ? <span className={style.soft}>not set</span> : <code>{value}</code>}</td>
              <td className={table.soft}>{source}</td>
              <td className={table.soft}>
                <code>{env}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className={style.soft}>They are changed where the server is started: by flag, variable or batuta.config.ts.</p>
    </div>
  );
}

function retentionSentence(settings: readonly SettingRow[]): string {
  const retention = settings.find(({ name }) => name === 'retention')?.value ?? '';
  if (retention === 'forever') return 'Runs that have ended are kept forever, unless a deployment says otherwise.';
  return `Runs that have ended are kept for ${retention.replace(/^(\d+)d$/, '$1 days')}, then deleted with their logs and results, unless a deployment says otherwise.`;
}
