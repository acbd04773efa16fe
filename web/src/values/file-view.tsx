/** Files and images of tasks: an image in an `img`, which runs no script and loads nothing; a file as a download link. */
import { byteSize } from '../../../src/base/byte-size.ts';
import type { ArtifactFile } from '../../../src/model/artifact.ts';
import { apiAddress } from '../api/http.ts';
import style from './artifact-view.module.css';

interface FileProps {
  readonly id: string;
  readonly file: ArtifactFile;
}

/** The image with its details below. */
export function ImageView({ id, file }: FileProps) {
  const { alt = file.fileName, width, height } = file;
  return (
    <figure className={style.figure}>
      <img
        src={contentAddress(id)}
        alt={alt}
        loading="lazy"
        className={style.image}
        {...(width === undefined || height === undefined ? {} : { width, height })}
      />
      <FileView id={id} file={file} />
    </figure>
  );
}

/** Its name as a download link, type, size and hash. */
export function FileView({ id, file }: FileProps) {
  const { fileName, type, bytes, sha256, width, height } = file;
  return (
    <p className={style.file}>
      <a href={contentAddress(id)} download={fileName} className={style.download}>
        {fileName}
      </a>
      <span>{type}</span>
      {width === undefined || height === undefined ? null : <span>{`${width} × ${height}`}</span>}
      <span>{byteSize(bytes)}</span>
      <span className={style.hash} title={`SHA-256 ${sha256}`}>
        {sha256.slice(0, 12)}
      </span>
    </p>
  );
}

/** URL of an artifact's bytes. */
export function contentAddress(id: string): string {
  return apiAddress(`/artifacts/${encodeURIComponent(id)}/content`);
}
