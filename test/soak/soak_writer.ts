import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export interface SoakWriterOptions {
  readonly directory: string;
  readonly linesPerSecond: number;
  /** New short-lived files each second. */
  readonly filesPerSecond: number;
  /** Size at which a long-lived file is renamed. */
  readonly rotateBytes: number;
}

/** Lines of a short-lived file; it is written in two halves. */
const jobLines = 100;
const serviceCount = 8;
const secondHalfAfterMs = 1000;
/** A file that everybody has stays for as long, as one does that a collector of files removes. */
const keptMs = 3000;

interface EndedFile {
  readonly path: string;
  /** Number behind its last line. */
  readonly end: number;
  readonly endedMs: number;
}

interface Job {
  readonly path: string;
  readonly name: string;
  readonly dueMs: number;
}

/** Writes numbered lines into a few files that live long and are renamed, and into many that live
 *  for seconds. Files are deleted once their lines were settled. */
export class SoakWriter {
  lines = 0;
  bytes = 0;
  jobs = 0;
  rotations = 0;
  deleted = 0;
  /** Names of the newest short-lived files. */
  readonly recentJobs: string[] = [];
  readonly #options: SoakWriterOptions;
  readonly #services: { fd: number; bytes: number }[] = [];
  readonly #halfWritten: Job[] = [];
  readonly #ended: EndedFile[] = [];
  #nextService = 0;

  constructor(options: SoakWriterOptions) {
    this.#options = options;
    for (const name of ['services', 'jobs']) {
      mkdirSync(join(options.directory, name), { recursive: true });
    }
    for (let index = 0; index < serviceCount; index++) {
      this.#services.push({ fd: openSync(this.#servicePath(index), 'a'), bytes: 0 });
    }
  }

  /** Writes what is due `elapsedMs` after the start; half a second's worth at most at once. */
  write(elapsedMs: number): void {
    const { linesPerSecond, filesPerSecond } = this.#options;
    const now = new Date().toISOString();
    const dueLines = Math.floor((elapsedMs / 1000) * linesPerSecond) - this.lines;
    let rest = Math.min(dueLines, Math.ceil(linesPerSecond / 2));
    while (rest > 0 && this.jobs < (elapsedMs / 1000) * filesPerSecond) {
      rest -= this.#beginJob(elapsedMs, now);
    }
    while (rest > 0 && (this.#halfWritten[0]?.dueMs ?? Number.POSITIVE_INFINITY) <= elapsedMs) {
      rest -= this.#endJob(this.#halfWritten.shift()!, elapsedMs, now);
    }
    if (rest > 0) this.#writeService(rest, elapsedMs, now);
  }

  /** Writes the second halves that are still to come. */
  finish(elapsedMs: number): void {
    const now = new Date().toISOString();
    for (const job of this.#halfWritten.splice(0)) this.#endJob(job, elapsedMs, now);
  }

  /** Deletes the files whose lines were all settled a while ago. */
  clean(elapsedMs: number, settledBelow: number): void {
    let count = 0;
    for (const file of this.#ended) {
      if (file.end > settledBelow || file.endedMs + keptMs > elapsedMs) break;
      unlinkSync(file.path);
      count++;
    }
    this.#ended.splice(0, count);
    this.deleted += count;
  }

  close(): void {
    for (const { fd } of this.#services.splice(0)) closeSync(fd);
  }

  #servicePath(index: number): string {
    return join(this.#options.directory, 'services', `service-${index}.log`);
  }

  #beginJob(elapsedMs: number, now: string): number {
    const name = `job-${String(this.jobs++).padStart(7, '0')}`;
    const path = join(this.#options.directory, 'jobs', `${name}.log`);
    const fd = openSync(path, 'wx');
    this.#append(fd, jobLines / 2, name, now);
    closeSync(fd);
    this.#halfWritten.push({ path, name, dueMs: elapsedMs + secondHalfAfterMs });
    this.recentJobs.push(name);
    if (this.recentJobs.length > 300) this.recentJobs.shift();
    return jobLines / 2;
  }

  #endJob(job: Job, elapsedMs: number, now: string): number {
    const fd = openSync(job.path, 'a');
    this.#append(fd, jobLines / 2, job.name, now);
    closeSync(fd);
    this.#ended.push({ path: job.path, end: this.lines, endedMs: elapsedMs });
    return jobLines / 2;
  }

  #writeService(count: number, elapsedMs: number, now: string): void {
    const index = this.#nextService++ % serviceCount;
    const service = this.#services[index]!;
    service.bytes += this.#append(service.fd, count, `service-${index}`, now);
    if (service.bytes < this.#options.rotateBytes) return;
    const path = this.#servicePath(index);
    const rotated = `${path}.${++this.rotations}`;
    closeSync(service.fd);
    renameSync(path, rotated);
    this.#ended.push({ path: rotated, end: this.lines, endedMs: elapsedMs });
    service.fd = openSync(path, 'a');
    service.bytes = 0;
  }

  #append(fd: number, count: number, pod: string, now: string): number {
    let text = '';
    for (let k = 0; k < count; k++) {
      const number = this.lines++;
      const level = number % 50 === 0 ? 'ERROR' : 'INFO';
      text += `${now} ${level} ${pod} ~${String(number).padStart(10, '0')} GET /orders/${number % 9973} took ${number % 577} ms\n`;
    }
    const bytes = writeSync(fd, text);
    this.bytes += bytes;
    return bytes;
  }
}

/** Bytes of all files below a directory; files that vanish meanwhile do not count. */
export function bytesBelow(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    try {
      bytes += entry.isDirectory() ? bytesBelow(path) : statSync(path).size;
    } catch {
      // Deleted between the listing and the look.
    }
  }
  return bytes;
}
