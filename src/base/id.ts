import { uuidv7 } from 'uuidv7';

/** Makes ids. Tests pass their own for ids that do not change. */
export type MakeId = () => string;

/**
 * A new UUIDv7: 36 characters, sorted by the time it was made.
 *
 * Source: RFC 9562, section 5.7.
 */
export const makeId: MakeId = uuidv7;
