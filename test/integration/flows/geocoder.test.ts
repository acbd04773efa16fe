import { expect, it } from 'vitest';
import { Geocoder } from '../../../flows/geocoder.ts';
import { runHere } from './run-here.ts';

it('geocoder: finds where cities lie, looks each up once, and names those it does not know', async () => {
  const recorded = await runHere(Geocoder);
  const { found, unknown } = recorded.result as { found: { city: string; latitude: number; longitude: number }[]; unknown: string[] };
  expect(unknown).toEqual(['Atlantis, XX']);
  expect(found.map(({ city }) => city)).toEqual(['Boston, MA', 'Denver, CO', 'Boston, MA']);
  // As any map shows them, to a tenth of a degree.
  expect(found[0]?.latitude).toBeCloseTo(42.35, 0);
  expect(found[1]?.longitude).toBeCloseTo(-104.9, 0);
  expect(recorded.statesOf('locate').sort()).toEqual(['Cached', 'Completed', 'Completed', 'Completed']);
});
