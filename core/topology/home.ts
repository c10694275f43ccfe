/**
 * Tells storage that stayed where it was from storage that was copied or moved: a machine that was
 * cloned, a directory that was restored elsewhere. Two agents that went on from one checkpoint would
 * give different records one id (same generation, same position), and a destination that knows
 * records by their ids would take one of them for a repeat. So a copy goes on under new generations;
 * what was under way when the copy was made may come twice, and nothing is lost.
 *
 * The file `home` beside the checkpoints has hashed signs of the machine and of the directory. A sign
 * that is not known, then or now, says nothing.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { readWholeFile, replaceFile } from '../buffer/atomic_file.ts';
import type { FileSystem } from '../buffer/file_system.ts';
import type { CheckpointWriter } from '../checkpoint/checkpoint_writer.ts';
import { messageOf } from '../errors/sluice_error.ts';
import type { Log } from '../sdk/contracts.ts';

/** What a home is known by; each empty when it cannot be told. */
export interface HomeSigns {
  /** The installation of the operating system: /etc/machine-id. */
  readonly machine: string;
  readonly host: string;
  /** Hardware addresses of network cards. Cards come and go: one in common is enough. */
  readonly addresses: readonly string[];
  /** The directory itself: a copy has another inode. */
  readonly place: string;
}

export interface Home {
  /** The storage was somewhere else when it was last used. */
  readonly isMoved: boolean;
  /** Notes that it is here now, durably. Errors: the system's. */
  settle(): Promise<void>;
}

const fileBytesMax = 64 * 1024;
/** Cards of bridges, tunnels and containers: their addresses are made up, some alike everywhere. */
const virtualCards =
  /^(veth|docker|br-|virbr|cali|flannel|cni|lxc|lxd|tap|tun|wg|vmnet|utun|awdl|llw)/;

/** Looks whether a storage directory is where it was. A `home` that cannot be read counts as none:
 *  the directory is then taken to have been here. Errors: the system's, other than that. */
export async function enterHome(
  fileSystem: FileSystem,
  directory: string,
  signs: (directory: string) => Promise<HomeSigns> = homeSigns,
): Promise<Home> {
  const path = join(directory, 'home');
  const now = await signs(directory);
  const before = signsIn(await readWholeFile(fileSystem, path, fileBytesMax));
  const text = `${JSON.stringify({ sluice_home: 1, ...now })}\n`;
  return {
    isMoved: before !== undefined && !isSameHome(before, now),
    async settle() {
      if (before !== undefined && JSON.stringify(before) === JSON.stringify(now)) return;
      await replaceFile(fileSystem, path, [Buffer.from(text)]);
    },
  };
}

/** At the start, before sources are opened: notes what stored chunks vouch for, before these are
 *  delivered and forgotten, and has storage that is a copy go on under generations of its own. Where
 *  the disk refuses, positions are written later, and a copy is taken for one again at the next
 *  start. */
export async function settleHome(options: {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly checkpoints: Pick<CheckpointWriter, 'renewGenerations' | 'hasRaised' | 'flush'>;
  readonly log: Log;
  readonly signs: ((directory: string) => Promise<HomeSigns>) | undefined;
}): Promise<void> {
  const { fileSystem, directory, checkpoints, log, signs } = options;
  try {
    const home = await enterHome(fileSystem, directory, signs);
    if (home.isMoved) {
      checkpoints.renewGenerations();
      log.warn(
        { directory },
        'Storage was copied or moved here: sources go on with new ids, and what was under way may come twice.',
      );
    }
    if (checkpoints.hasRaised) await checkpoints.flush();
    await home.settle();
  } catch (error) {
    log.warn({ directory, error: messageOf(error) }, 'The place of the storage cannot be noted.');
  }
}

/** Whether two looks may have been at one home. */
export function isSameHome(before: HomeSigns, now: HomeSigns): boolean {
  for (const sign of ['machine', 'host', 'place'] as const) {
    if (before[sign] !== '' && now[sign] !== '' && before[sign] !== now[sign]) return false;
  }
  if (before.addresses.length === 0 || now.addresses.length === 0) return true;
  return now.addresses.some((address) => before.addresses.includes(address));
}

/** The signs of this machine. They are hashed: a machine's id is not to be spread. */
export async function homeSigns(directory: string): Promise<HomeSigns> {
  const machine = await readFile('/etc/machine-id', 'latin1').catch(() => '');
  const place = await stat(directory, { bigint: true }).then(
    ({ ino }) => String(ino),
    () => '',
  );
  const addresses = Object.entries(networkInterfaces())
    .filter(([name]) => !virtualCards.test(name))
    .flatMap(([, cards]) => cards ?? [])
    .filter(({ internal, mac }) => !internal && mac !== '00:00:00:00:00:00')
    .map(({ mac }) => hashOf(mac));
  return {
    machine: hashOf(machine.trim()),
    host: hashOf(hostname()),
    addresses: [...new Set(addresses)].sort(),
    place: hashOf(place),
  };
}

function hashOf(sign: string): string {
  return sign === ''
    ? ''
    : createHash('sha256').update(`sluice ${sign}`).digest('hex').slice(0, 32);
}

function signsIn(content: Buffer | undefined): HomeSigns | undefined {
  if (content === undefined) return undefined;
  try {
    // Checked field by field below.
    const value = JSON.parse(content.toString()) as Record<string, unknown> | null;
    const { machine, host, addresses, place } = value ?? {};
    if (typeof machine !== 'string' || typeof host !== 'string' || typeof place !== 'string') {
      return undefined;
    }
    if (!Array.isArray(addresses) || !addresses.every((one) => typeof one === 'string')) {
      return undefined;
    }
    return { machine, host, addresses, place };
  } catch {
    return undefined;
  }
}
