/** Variables: their values, when they were set and by whom. */
import { variablesQuery } from '../../api/secret-queries.ts';
import type { VariableRow } from '../../api/wire-types.ts';
import table from '../../parts/table.module.css';
import { ChangedBy } from './changed-by.tsx';
import { ValueList } from './value-list.tsx';
import { VariableForm } from './variable-form.tsx';

/** Most characters of a value in a row; the form has all of it. */
const shownChars = 300;

/** The list. */
export function VariablesTab() {
  return (
    <ValueList<VariableRow>
      kind="variables"
      query={variablesQuery}
      add="Add a variable"
      change="Change"
      intro="Settings that change without a deploy; tasks read them with ctx.variable. Everyone who may look at runs sees them."
      empty={{ title: 'No variables', command: 'variable set batch-size 500' }}
      columns={['Value', 'Changed']}
      cells={({ name, value, updatedAt }) => (
        <>
          <td className={table.wide}>
            <code>{JSON.stringify(value).slice(0, shownChars)}</code>
          </td>
          <td data-label="Changed">
            <ChangedBy action="variables.set" name={name} updatedAt={updatedAt} />
          </td>
        </>
      )}
      form={(variable, close) => <VariableForm variable={variable} onClose={close} />}
    />
  );
}
