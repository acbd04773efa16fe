/** The filters of the list, in one row. */
import { Select } from '@mantine/core';
import { shortId } from '../../../../src/model/ids.ts';
import { useSeesPayloads } from '../../api/session.ts';
import type { Facets } from '../../api/wire-types.ts';
import { dateTimeText } from '../../parts/format.ts';
import { SearchField } from '../../parts/search-field.tsx';
import { FilterChip } from './filter-chip.tsx';
import { type RunsSearch, type Stretch, stretchOf } from './runs-search.ts';
import { StateFilter } from './state-filter.tsx';
import style from './filter-bar.module.css';

interface FilterBarProps {
  readonly search: RunsSearch;
  /** Undefined while loading; typing works meanwhile. */
  readonly facets: Facets | undefined;
  readonly onChange: (search: RunsSearch) => void;
}

const lengths = [
  { value: '1h', label: 'last hour' },
  { value: '24h', label: 'last 24 h' },
  { value: '7d', label: 'last 7 days' },
  { value: '30d', label: 'last 30 days' },
  { value: 'all', label: 'since ever' },
];

/** State, flow, deployment, tag, time range, text; and a chip for each filter that has no field. */
export function FilterBar({ search, facets, onChange }: FilterBarProps) {
  const { last: _last, since: _since, until: _until, ...rest } = search;
  const seesPayloads = useSeesPayloads();
  const isBrushed = search.since !== undefined || search.until !== undefined;
  return (
    <search className={style.bar} aria-label="Filters">
      <StateFilter states={search.state ?? []} onChange={(state) => onChange({ ...search, state })} />
      <Facet label="Flow" value={search.flow} values={facets?.flows} onChange={(flow) => onChange({ ...search, flow })} />
      <Facet
        label="Deployment"
        value={search.deployment}
        values={facets?.deployments}
        onChange={(deployment) => onChange({ ...search, deployment })}
      />
      {/* An observer cannot filter by tags and names, which are hidden; a filter from the address can be removed. */}
      {seesPayloads || search.tag !== undefined ? (
        <Facet label="Tag" value={search.tag} values={facets?.tags} onChange={(tag) => onChange({ ...search, tag })} />
      ) : null}
      {isBrushed ? (
        <FilterChip label={stretchText(search)} what="time range" onRemove={() => onChange(rest)} />
      ) : (
        <Select
          aria-label="Time range"
          className={`${style.field} ${style.stretch}`}
          data={lengths}
          value={search.last ?? '24h'}
          allowDeselect={false}
          onChange={(last) => onChange(last === null || last === '24h' ? rest : { ...rest, last: last as Stretch })}
        />
      )}
      {(['queue', 'backfill', 'schedule', 'parent'] as const).map((name) =>
        search[name] === undefined ? null : (
          <FilterChip
            key={name}
            label={`${name} ${name === 'queue' ? search[name] : shortId(search[name])}`}
            what={name}
            onRemove={() => onChange(without(search, name))}
          />
        ),
      )}
      {/* A text from the address, e.g. after going back, replaces the field's content. */}
      {seesPayloads || search.search !== undefined ? (
        <SearchField
          key={search.search ?? ''}
          by="name or id"
          text={search.search ?? ''}
          className={style.search}
          onChange={(text) => onChange({ ...search, search: text })}
        />
      ) : null}
    </search>
  );
}

interface FacetProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly values: readonly string[] | undefined;
  readonly onChange: (value: string | undefined) => void;
}

function Facet({ label, value, values = [], onChange }: FacetProps) {
  const data = value === undefined || values.includes(value) ? values : [value, ...values];
  return (
    <Select
      aria-label={label}
      placeholder={label}
      className={style.field}
      data={[...data]}
      value={value ?? null}
      searchable
      clearable
      limit={100}
      nothingFoundMessage="None of that name"
      clearButtonProps={{ 'aria-label': `Any ${label.toLowerCase()}` }}
      onChange={(next) => onChange(next ?? undefined)}
    />
  );
}

function without(search: RunsSearch, name: keyof RunsSearch): RunsSearch {
  const { [name]: _removed, ...rest } = search;
  return rest;
}

function stretchText(search: RunsSearch): string {
  const now = Date.now();
  const { fromAt, untilAt } = stretchOf(search, now);
  const from = fromAt === null ? '…' : dateTimeText(fromAt, now);
  return `${from} – ${search.until === undefined ? 'now' : dateTimeText(untilAt, now)}`;
}
