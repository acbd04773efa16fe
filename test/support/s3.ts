/** A real S3 server on loopback (s3rver), as the AWS SDK finds it by its variables. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';

export interface S3Server {
  readonly bucket: string;
  /** Variables by which the SDK finds it. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of the objects. */
  objects(): readonly string[];
  /** Replaces what is in an object, behind the back of whoever wrote it. */
  spoil(object: string, bytes: Uint8Array): void;
  stop(): Promise<void>;
}

const bucket = 'batuta-results';

/** Sets the variables of this process; `stop` takes them back. */
export async function startS3(): Promise<S3Server> {
  const directory = mkdtempSync(join(tmpdir(), 'batuta-s3-'));
  const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets: [{ name: bucket, configs: [] }] });
  const { port } = await server.run();
  const env = {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const before = Object.fromEntries(Object.keys(env).map((name) => [name, process.env[name]]));
  Object.assign(process.env, env);
  const files = (): string[] =>
    readdirSync(join(directory, bucket), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('._S3rver_object'));
  return {
    bucket,
    env,
    objects: () =>
      files()
        .map((name) => name.replace(/\._S3rver_object$/, ''))
        .sort(),
    spoil: (object, bytes) => writeFileSync(join(directory, bucket, `${object}._S3rver_object`), bytes),
    async stop() {
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
