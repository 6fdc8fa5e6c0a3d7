import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { PointRecord } from './point-task.ts';

const ENDING = '.json.gz';

/** A folder of records, a file a run. What has a run's name is whole: writing it twice changes nothing. */
export class RecordStore {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  create(): void {
    mkdirSync(this.path, { recursive: true });
  }

  ids(): string[] {
    return readdirSync(this.path)
      .filter((name) => name.endsWith(ENDING))
      .map((name) => name.slice(0, -ENDING.length));
  }

  file(id: string): string {
    return join(this.path, `${id}${ENDING}`);
  }

  /** It is there and unpacks: a gzip file carries its own checksum. */
  isWhole(id: string): boolean {
    try {
      if (!existsSync(this.file(id))) return false;
      gunzipSync(readFileSync(this.file(id)));
      return true;
    } catch {
      return false;
    }
  }

  read(id: string): PointRecord {
    return JSON.parse(gunzipSync(readFileSync(this.file(id))).toString('utf8')) as PointRecord;
  }

  write(id: string, record: Uint8Array): void {
    writeWhole(this.file(id), record);
  }

  remove(id: string): void {
    rmSync(this.file(id), { force: true });
  }
}

/** Writes a file under a temporary name, then renames it. */
export function writeWhole(file: string, data: string | Uint8Array): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, data);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
