/** The keys of the settings, and the resolvers of the project. Both are made on first use. */
import { Keyring } from '../base/keyring.ts';
import type { Config } from '../base/settings.ts';
import { loadConfigFile } from '../define/load-config-file.ts';
import type { Resolvers } from '../secrets/references.ts';

/** Keys that secrets are encrypted with. Deriving them from a passphrase takes 0.1 s. @throws BatutaError CONFIG_INVALID */
export function keyringOf({ secretKey, secretKeyOld }: Pick<Config, 'secretKey' | 'secretKeyOld'>): () => Keyring | null {
  let made: { readonly keyring: Keyring | null } | undefined;
  return () => (made ??= { keyring: Keyring.of('BATUTA_SECRET_KEY', secretKey, secretKeyOld) }).keyring;
}

/** The key that values of flows are encrypted with at rest; null: they are not. @throws BatutaError CONFIG_INVALID */
export function payloadKeyringOf({ payloadKey, payloadKeyOld }: Pick<Config, 'payloadKey' | 'payloadKeyOld'>): Keyring | null {
  return Keyring.of('BATUTA_PAYLOAD_KEY', payloadKey, payloadKeyOld);
}

/** The `secrets` of `batuta.config.ts` in the working folder; read once. @throws BatutaError FILE_…, CONFIG_INVALID */
export function projectResolvers(): () => Promise<Resolvers> {
  let read: Promise<Resolvers> | undefined;
  return () =>
    (read ??= (async () => {
      const file = await loadConfigFile(process.cwd());
      return file?.config.secrets ?? {};
    })());
}
