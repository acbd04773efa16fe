/** The head of a table. */

interface TableHeadProps {
  /** Headings, from left to right. */
  readonly columns: readonly string[];
  /** Whether a column of buttons follows. */
  readonly hasDeeds?: boolean;
}

export function TableHead({ columns, hasDeeds = false }: TableHeadProps) {
  return (
    <thead>
      <tr>
        {columns.map((column) => (
          <th key={column} scope="col">
            {column}
          </th>
        ))}
        {hasDeeds ? <th scope="col" aria-label="Actions" /> : null}
      </tr>
    </thead>
  );
}
