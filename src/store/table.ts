/**
 * The description of a table: its columns, what they hold, and where the model has them.
 *
 * From it follow the types of rows, the conversion from a row to the model and back, the types of the lists that statements take rows from,
 * and that structured values are stored as text both databases can hold (`storable.ts`). SQL is still written by hand.
 */
import { jsonText } from './storable.ts';

/** What a column accepts: neither dialect gets booleans, dates or objects. */
export type Value = string | number | null;

/** Times are UTC epoch ms. Times, integers and booleans (0 and 1) are whole numbers to the databases, all others text. */
export type Kind = 'text' | 'json' | 'integer' | 'time' | 'boolean';

export function isText(kind: Kind): boolean {
  return kind === 'text' || kind === 'json';
}

/** Columns, in order, of a list passed to a statement as a parameter. */
export type Kinds = Readonly<Record<string, Kind>>;

/** `Row` is what the table holds, `Data` what the model holds. */
export interface Column<Row extends Value, Data, Property extends string | undefined = undefined> {
  readonly kind: Kind;
  /** Name in the model; undefined: the column name in camel case. */
  readonly property?: Property;
  /** Field of that property, if several columns make one. */
  readonly field?: string;
  /** Written if the model has no value; default null. */
  readonly otherwise?: Value;
  /** Left out of the model if it is null. */
  readonly optional?: boolean;
  /** For JSON: whether null is stored as such; else as its text. */
  readonly nullable?: boolean;
  read?(value: Row): Data;
  /** For JSON: what is written as text, if not the data itself. */
  shape?(data: Data): unknown;
}

type AnyColumn = Column<never, unknown, string | undefined>;
type Columns = Readonly<Record<string, AnyColumn>>;
export interface Optional {
  readonly optional: true;
}

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Name;
type PropertyOf<Name, One> =
  One extends Column<never, unknown, infer Property> ? (Property extends string ? Property : Camel<Name & string>) : never;
type DataOf<One> = One extends Column<never, infer Data, string | undefined> ? Data : never;
type Simple<Type> = { readonly [Key in keyof Type]: Type[Key] };

/** A row as returned by a query. */
export type RowOf<All> =
  All extends Table<infer Described>
    ? { readonly [Name in keyof Described]: Described[Name] extends Column<infer Row, unknown, string | undefined> ? Row : never }
    : never;

/** The model of a row. */
type ModelOf<All extends Columns> = Simple<
  { [Name in keyof All as All[Name] extends Optional ? never : PropertyOf<Name, All[Name]>]: DataOf<All[Name]> } & {
    [Name in keyof All as All[Name] extends Optional ? PropertyOf<Name, All[Name]> : never]?: DataOf<All[Name]>;
  }
>;

/** The same for writing: missing properties are written as described. */
type GivenOf<All extends Columns> = { readonly [Key in keyof ModelOf<All>]?: ModelOf<All>[Key] | null | undefined };

export interface Table<All extends Columns> {
  readonly name: string;
  /** In the order in which they are written and read. */
  readonly columns: readonly (keyof All & string)[];
  /** The columns as a list of SQL. */
  readonly list: string;
  readonly kinds: Readonly<Record<keyof All & string, Kind>>;
  /** As it was described, for a table with more columns. */
  readonly described: All;
  /** Converts a row to the model. */
  readonly read: (row: RowOf<Table<All>>) => ModelOf<All>;
  /** In the order of the columns. */
  readonly values: (data: GivenOf<All>) => Value[];
  /** Columns and values of the given properties, in the order of the columns. */
  readonly changes: (data: GivenOf<All>) => [column: keyof All & string, value: Value][];
  /** The description of some of the columns. */
  readonly part: <Name extends keyof All & string>(columns: readonly Name[]) => Table<Pick<All, Name>>;
}

export function describeTable<const All extends Columns>(name: string, all: All): Table<All> {
  const columns = Object.keys(all);
  const parts = columns.map((column) => partOf(column, all[column] as AnyColumn));
  let reader: ReturnType<typeof readerOf> | undefined;
  const table: Table<Columns> = {
    name,
    columns,
    list: columns.join(', '),
    described: all,
    kinds: Object.fromEntries(parts.map(({ column, kind }) => [column, kind])),
    read: (row) => (reader ??= readerOf(parts))(row),
    values: (data) => parts.map((part) => part.write(part.pick(data))),
    changes: (data) => {
      const changed: [string, Value][] = [];
      for (const { column, pick, write } of parts) {
        const value = pick(data);
        if (value !== undefined) changed.push([column, write(value)]);
      }
      return changed;
    },
    part: (some) => describeTable(name, Object.fromEntries(some.map((column) => [column, all[column] as AnyColumn]))) as never,
  };
  return table as unknown as Table<All>;
}

/** The columns as a list of SQL, qualified with this alias. */
export function columnsOf({ columns, name }: Described, alias = name): string {
  return columns.map((column) => `${alias}.${column}`).join(', ');
}

/** Inserts one row; its values are the parameters from the first on. */
export function insertText({ name, columns, list }: Described): string {
  return `insert into ${name} (${list}) values (${columns.map((_, at) => `$${at + 1}`).join(', ')})`;
}

/** Inserts the rows of the list in parameter number `index`; `on conflict` may follow. */
export function insertListed({ name, list, kinds }: Described, { list: listOfKinds }: Lists, index: number): string {
  return `insert into ${name} (${list}) select ${list} from ${listOfKinds(index, kinds)} as given where true`;
}

/** What an upsert sets: all columns except these. */
export function replacedBy({ columns }: Described, ...kept: readonly string[]): string {
  return columns.flatMap((column) => (kept.includes(column) ? [] : [`${column} = excluded.${column}`])).join(', ');
}

type Described = Pick<Table<Columns>, 'name' | 'columns' | 'list' | 'kinds'>;
export interface Lists {
  list(index: number, columns: Kinds): string;
}

/** What follows from the description of a column. */
interface Part {
  readonly column: string;
  readonly kind: Kind;
  readonly property: string;
  readonly field: string | undefined;
  readonly isOptional: boolean;
  readonly read: ((value: Value) => unknown) | undefined;
  readonly pick: (data: Data) => unknown;
  readonly write: (value: unknown) => Value;
}
type Data = Readonly<Record<string, unknown>>;

function partOf(column: string, described: AnyColumn): Part {
  const { kind, field, otherwise: missing = null, optional: isOptional, nullable } = described;
  const property = described.property ?? column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const pick = (data: Data): unknown => (field === undefined ? data[property] : (data[property] as Data | undefined)?.[field]);
  const shape = described.shape;
  const writers: Partial<Record<Kind, (value: unknown) => Value>> = {
    json: (value) => (nullable === true && (value === null || value === undefined) ? null : jsonText(shape ? shape(value) : value)),
    boolean: (value) => (value === true ? 1 : 0),
  };
  const plain = (value: unknown): Value => ((isOptional === true ? value || null : value) ?? missing) as Value;
  const read = (described.read ?? (kind === 'boolean' ? (value: Value) => value === 1 : undefined)) as Part['read'];
  return { column, kind, property, field, isOptional: isOptional === true, read, pick, write: writers[kind] ?? plain };
}

function readerOf(parts: readonly Part[]): (row: Readonly<Record<string, Value>>) => Data {
  const whole = parts.filter(({ isOptional, field }) => !isOptional && field === undefined);
  const fields = parts.filter(({ field }) => field !== undefined);
  const rare = parts.filter(({ isOptional }) => isOptional);
  const empty = emptyOf([...whole, ...fields].map(({ property }) => property));
  return (row) => {
    const data: Record<string, unknown> = { ...empty };
    for (const { column, property, read } of whole) {
      const value = row[column] as Value;
      data[property] = read === undefined ? value : read(value);
    }
    for (const { column, property, field = '' } of fields) {
      const known = data[property] as Record<string, unknown> | null;
      if (known === null) data[property] = { [field]: row[column] };
      else known[field] = row[column];
    }
    for (const { column, property, read } of rare) {
      const value = row[column] as Value;
      if (value !== null) data[property] = read === undefined ? value : read(value);
    }
    return data;
  };
}

/**
 * An object with these properties, to be copied and filled. With more than a few properties set by computed names, V8 would keep it as a
 * hash table, slow to read and several times as large; parsed JSON avoids that.
 */
function emptyOf(properties: readonly string[]): Readonly<Record<string, null>> {
  return JSON.parse(`{${[...new Set(properties)].map((property) => `${jsonText(property)}:null`).join(',')}}`) as Record<string, null>;
}

export const text: Column<string, string> = { kind: 'text' };
export const textOrNull: Column<string | null, string | null> = { kind: 'text' };
export const integer: Column<number, number> = { kind: 'integer' };
export const integerOrNull: Column<number | null, number | null> = { kind: 'integer' };
export const time: Column<number, number> = { kind: 'time' };
export const timeOrNull: Column<number | null, number | null> = { kind: 'time' };
export const boolean: Column<number, boolean> = { kind: 'boolean' };

/** Text that is one of a few words. */
export function word<Word extends string>(): Column<Word, Word> {
  return { kind: 'text' };
}

/** One of a few words, or null. */
export function wordOrNull<Word extends string>(): Column<Word | null, Word | null> {
  return { kind: 'text' };
}

/** JSON that every row has. */
export function json<Data>(read: (text: string) => Data, shape?: (data: Data) => unknown): Column<string, Data> {
  return { kind: 'json', read, ...(shape && { shape }) };
}

/** JSON that a row may lack. */
export function jsonOrNull<Data>(read: (text: string | null) => Data): Column<string | null, Data> {
  return { kind: 'json', nullable: true, read };
}

/** A column with another name in the model. */
export function named<Row extends Value, Data, Property extends string>(
  property: Property,
  column: Column<Row, Data>,
): Column<Row, Data, Property> {
  return { ...column, property };
}

/** A column for which this is written if the model has no value. */
export function otherwise<Row extends Value, Data>(value: Row, column: Column<Row, Data>): Column<Row, Data> {
  return { ...column, otherwise: value };
}

/** A column that the model leaves out if it is null, or if null means nothing. */
export function optional<Row extends Value, Data>(column: Column<Row | null, Data | null>): Column<Row | null, Data> & Optional {
  return { ...(column as Column<Row | null, Data>), optional: true };
}
