import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../../shared/child_process/run_command.ts';
import { type HostCollector, Readings } from '../host_source.ts';
import type { KernelFiles } from './kernel_files.ts';
import { isRemote, type Mount, parseMounts } from './mounts.ts';
import type { NameFilter } from '../name_filter.ts';

/** What statfs(2) says. */
export interface SpaceFacts {
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

export type ReadSpace = (path: string, signal: AbortSignal) => Promise<SpaceFacts>;

export interface FileSystemOptions {
  readonly types: NameFilter;
  readonly mountPoints: NameFilter;
  /** Put before mount points: where the host's root is seen from a container. */
  readonly rootPath: string;
  /** How long one file system may take. */
  readonly mountTimeoutMs: number;
  readonly readLocal?: ReadSpace;
  readonly readRemote?: ReadSpace;
}

const mountsMax = 10_000;

/** Space and inodes of mounted file systems (node_exporter: filesystem).
 *
 *  A file system over the network is asked by a process of its own: a call that hangs in the kernel
 *  would keep one of the few threads that all files of the agent are read with. One that gives no
 *  answer has `node_filesystem_device_error 1` and no numbers; it is not asked again before the
 *  hung call has ended. */
export function fileSystemCollector(files: KernelFiles, options: FileSystemOptions): HostCollector {
  const { types, mountPoints, mountTimeoutMs } = options;
  const hung = new Set<string>();
  const read = async (mount: Mount, signal: AbortSignal): Promise<SpaceFacts | undefined> => {
    const reader = isRemote(mount.type)
      ? (options.readRemote ?? readByProcess)
      : (options.readLocal ?? readHere);
    if (hung.has(mount.mountPoint)) return undefined;
    hung.add(mount.mountPoint);
    const deadline = new AbortController();
    const stop = (): void => deadline.abort();
    const timer = setTimeout(stop, mountTimeoutMs);
    signal.addEventListener('abort', stop, { once: true });
    const reading = reader(join(options.rootPath, mount.mountPoint), deadline.signal)
      .catch(() => undefined)
      .finally(() => hung.delete(mount.mountPoint));
    try {
      return await Promise.race([reading, aborted(deadline.signal)]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  };
  return {
    name: 'filesystem',
    lane: 'normal',
    async collect(signal) {
      const readings = new Readings();
      const text =
        (await files.procIfThere('1', 'mountinfo')) ?? (await files.proc('self', 'mountinfo'));
      const mounts = parseMounts(text).filter(
        (mount) => types.takes(mount.type) && mountPoints.takes(mount.mountPoint),
      );
      for (const mount of mounts.slice(0, mountsMax)) {
        if (signal.aborted) break;
        add(mount, await read(mount, signal), readings);
      }
      return readings.metrics;
    },
  };
}

function add(mount: Mount, space: SpaceFacts | undefined, readings: Readings): void {
  const labels = { device: mount.device, mountpoint: mount.mountPoint, fstype: mount.type };
  readings.gauge('node_filesystem_device_error', space === undefined ? 1 : 0, labels);
  readings.gauge('node_filesystem_readonly', mount.isReadOnly ? 1 : 0, labels);
  if (space === undefined) return;
  const bytes = (name: string, blocks: number): void =>
    readings.gauge(`node_filesystem_${name}_bytes`, blocks * space.bsize, labels);
  bytes('size', space.blocks);
  bytes('free', space.bfree);
  bytes('avail', space.bavail);
  readings.gauge('node_filesystem_files', space.files, labels);
  readings.gauge('node_filesystem_files_free', space.ffree, labels);
}

async function readHere(path: string): Promise<SpaceFacts> {
  return statfs(path);
}

/** Asks the `stat` of coreutils (or busybox). Killed when the signal aborts. */
async function readByProcess(path: string, signal: AbortSignal): Promise<SpaceFacts> {
  const result = await runCommand({
    command: ['stat', '-f', '-c', '%s %b %f %a %c %d', '--', path],
    outputBytesMax: 4096,
    signal,
  });
  const numbers = result.stdout.toString().trim().split(' ').map(Number);
  if (result.exitCode !== 0 || numbers.length !== 6 || numbers.some(Number.isNaN)) {
    throw new Error(`stat -f ${path}: ${result.stderr.toString().trim()}`);
  }
  const [bsize, blocks, bfree, bavail, inodes, ffree] = numbers;
  return {
    bsize: bsize!,
    blocks: blocks!,
    bfree: bfree!,
    bavail: bavail!,
    files: inodes!,
    ffree: ffree!,
  };
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
