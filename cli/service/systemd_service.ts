import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, SluiceError } from '../../core/errors/sluice_error.ts';
import type { ServiceHost, ServiceStatus } from './service_host.ts';

const unitDirectory = '/etc/systemd/system';

/** Services of systemd. `root` is another system's root directory, for images and tests: then files
 *  are written and enabled there and nothing is started. Errors: SLUICE_SERVICE_FAILED. */
export class SystemdService implements ServiceHost {
  private readonly name: string;
  private readonly root: string | undefined;

  constructor(name: string, root?: string) {
    this.name = name;
    this.root = root;
  }

  /** Writes the unit and has it started with the machine; returns where it is. */
  install(unit: string): string {
    this.needSystemd();
    const directory = join(this.root ?? '/', unitDirectory);
    const path = join(directory, `${this.name}.service`);
    this.changing(path, () => {
      mkdirSync(directory, { recursive: true });
      writeFileSync(path, unit, { mode: 0o644 });
    });
    if (this.root === undefined) this.systemctl('daemon-reload');
    this.systemctl('enable', this.unit);
    return path;
  }

  start(): void {
    this.needSystemd();
    this.systemctl('start', this.unit);
  }

  stop(): void {
    this.needSystemd();
    this.systemctl('stop', this.unit);
  }

  reload(): void {
    this.needSystemd();
    this.systemctl('reload', this.unit);
  }

  status(): ServiceStatus {
    this.needSystemd();
    const properties =
      'LoadState,ActiveState,SubState,StatusText,MainPID,NRestarts,ActiveEnterTimestamp';
    const answer = this.systemctl('show', this.unit, `--property=${properties}`);
    const values = new Map(
      answer.split('\n').map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)] as const;
      }),
    );
    const lines = [
      `${this.name}: ${values.get('ActiveState')} (${values.get('SubState')})`,
      values.get('StatusText'),
      values.get('MainPID') === '0' ? '' : `process ${values.get('MainPID')}`,
      values.get('ActiveEnterTimestamp') && `since ${values.get('ActiveEnterTimestamp')}`,
      `restarts: ${values.get('NRestarts') ?? '0'}`,
    ];
    return {
      isInstalled: values.get('LoadState') !== 'not-found',
      isRunning:
        values.get('ActiveState') === 'active' || values.get('ActiveState') === 'reloading',
      text: lines.filter((line) => line !== undefined && line !== '').join('\n'),
    };
  }

  uninstall(): string {
    this.needSystemd();
    const path = join(this.root ?? '/', unitDirectory, `${this.name}.service`);
    if (!existsSync(path)) throw failure(`There is no service "${this.name}": ${path} is missing.`);
    if (this.root === undefined) this.systemctl('disable', '--now', this.unit);
    else this.systemctl('disable', this.unit);
    this.changing(path, () => rmSync(path));
    if (this.root === undefined) this.systemctl('daemon-reload');
    return path;
  }

  private get unit(): string {
    return `${this.name}.service`;
  }

  private needSystemd(): void {
    // The check of sd_booted(3).
    if (this.root !== undefined || existsSync('/run/systemd/system')) return;
    throw failure(
      'This machine was not started by systemd: run "sluice run" under what starts services here, or see the unit with --print.',
    );
  }

  private changing(path: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw error;
      throw failure(
        `${path} cannot be changed (${messageOf(error)}): run this as root (sudo), or see the unit with --print.`,
      );
    }
  }

  private systemctl(...args: string[]): string {
    const where = this.root === undefined ? [] : [`--root=${this.root}`];
    const { error, status, stdout, stderr } = spawnSync(
      'systemctl',
      ['--no-ask-password', ...where, ...args],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
    if (error !== undefined) throw failure(`systemctl cannot be run: ${messageOf(error)}.`);
    if (status === 0) return stdout;
    const said = stderr.trim().split('\n').slice(-3).join(' ');
    const isDenied = /denied|authentication|not permitted/i.test(said);
    const advice = isDenied
      ? 'Run this as root (sudo).'
      : `"journalctl -u ${this.name}" may say more.`;
    throw failure(`systemctl ${args.join(' ')} failed: ${said} ${advice}`);
  }
}

function failure(text: string): SluiceError {
  return new SluiceError('SLUICE_SERVICE_FAILED', text);
}
