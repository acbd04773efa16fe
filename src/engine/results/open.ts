/** The places for large results that the settings name. The only file besides tests that names the makers. */
import type { Clock } from '../../base/clock.ts';
import { parsePlace, type PlaceSetting } from '../../base/result-places.ts';
import type { Store } from '../../store/store.ts';
import { folderPlace } from './folder-place.ts';
import type { ResultPlace } from './place.ts';
import { s3Place } from './s3-place.ts';
import { type ResultStorage, resultStorage } from './storage.ts';
import { storePlace } from './store-place.ts';

export interface ResultSettings {
  /** Where new results go: `store`, `s3://bucket/prefix` or a folder. */
  readonly results: string;
  /** Former places of results, in the same form. */
  readonly formerResults: readonly string[];
  /** The folder that was the default before `results` named another place. */
  readonly defaultFolder: string;
  readonly hasS3Endpoint: boolean;
}

/** Opens nothing yet: a place is accessed when needed. The database and the default folder are always among those that are read. */
export function openResults(settings: ResultSettings, store: Store, clock: Clock): ResultStorage {
  const place = parsePlace(settings.results);
  const former = settings.formerResults.map(parsePlace);
  const makers = { store, clock, hasS3Endpoint: settings.hasS3Endpoint };
  const folders = [...[place, ...former].flatMap((one) => (one.kind === 'folder' ? [one.path] : [])), settings.defaultFolder];
  const [folder = settings.defaultFolder, ...otherFolders] = folders;
  const folderOfAll = folderPlace(folder, otherFolders);
  const others = former.flatMap((one) => (one.kind === 'folder' ? [] : [makePlace(one, makers)]));
  if (place.kind === 'folder') return resultStorage(folderOfAll, [...others, storePlace(store.results, clock)]);
  return resultStorage(makePlace(place, makers), [...others, folderOfAll, storePlace(store.results, clock)]);
}

function makePlace(
  place: Exclude<PlaceSetting, { readonly kind: 'folder' }>,
  { store, clock, hasS3Endpoint }: { readonly store: Store; readonly clock: Clock; readonly hasS3Endpoint: boolean },
): ResultPlace {
  if (place.kind === 'store') return storePlace(store.results, clock);
  return s3Place({ bucket: place.bucket, prefix: place.prefix, hasEndpoint: hasS3Endpoint });
}
