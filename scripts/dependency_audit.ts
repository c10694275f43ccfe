import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What an audit found: `lines` for people, and whether all is well as far as could be seen. */
export interface AuditReport {
  readonly ok: boolean;
  readonly lines: readonly string[];
}

/** Packages that may run a script when they are installed: each uses what its own archive has. */
const mayInstall = new Set(['esbuild', 'koffi', 'zlib-sync']);
const badLevels = ['moderate', 'high', 'critical'];
const askMsMax = 30_000;

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly deprecated?: string;
}

/** Looks at what the lock file pins, for which no network is needed, then asks the registry for known
 *  weaknesses of what ships. A registry that cannot be asked is said, and is no failure: not every
 *  mirror answers such questions. `ask` is `npm audit --json`, and gives its standard output. */
export async function auditDependencies(root: string, ask = askRegistry): Promise<AuditReport> {
  const lockProblems = problemsOfLock(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const known = weaknesses(await ask(root));
  const lines = lockProblems.map((problem) => `lock file: ${problem}`);
  if (known === undefined) {
    lines.push('Could not ask: the registry gave no audit, known weaknesses were not looked for.');
  } else {
    lines.push(
      `Known weaknesses of what ships: ${known.length === 0 ? 'none' : known.join(', ')}.`,
    );
  }
  return { ok: lockProblems.length === 0 && (known ?? []).length === 0, lines };
}

/** What must not be in a lock file (npm's version 3): a package that is not pinned to its content, that
 *  comes from elsewhere than a registry, that runs a script when it is installed, or that its authors
 *  have given up and that ships. */
export function problemsOfLock(text: string): string[] {
  // npm wrote it.
  const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> };
  const problems: string[] = [];
  for (const [path, locked] of Object.entries(packages)) {
    if (path === '' || locked.link === true) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const called = `${name} ${locked.version ?? ''}`.trim();
    if (!/^sha512-/.test(locked.integrity ?? ''))
      problems.push(`${called} is not pinned by a hash`);
    if (!/^(https:|$)/.test(locked.resolved ?? '')) problems.push(`${called} is from no registry`);
    if (locked.hasInstallScript === true && !mayInstall.has(name)) {
      problems.push(`${called} runs a script when it is installed`);
    }
    if (locked.deprecated !== undefined && locked.dev !== true) {
      problems.push(`${called} is deprecated: ${locked.deprecated}`);
    }
  }
  return problems;
}

/** Packages with weaknesses that count; undefined when the text is no audit. */
function weaknesses(text: string): string[] | undefined {
  try {
    // Looked at member by member.
    const report = JSON.parse(text) as {
      vulnerabilities?: Record<string, { severity?: string }>;
      metadata?: { vulnerabilities?: unknown };
    };
    if (report.metadata?.vulnerabilities === undefined) return undefined;
    return Object.entries(report.vulnerabilities ?? {})
      .filter(([, { severity }]) => badLevels.includes(severity ?? ''))
      .map(([name, { severity }]) => `${name} (${severity})`);
  } catch {
    return undefined;
  }
}

function askRegistry(root: string): Promise<string> {
  const words = ['audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=20000'];
  return new Promise((resolve) => {
    let text = '';
    const npm = spawn('npm', words, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: askMsMax,
      shell: process.platform === 'win32',
    });
    npm.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    npm.on('error', () => resolve(''));
    npm.on('close', () => resolve(text));
  });
}
