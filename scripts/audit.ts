import { spawnSync } from 'node:child_process';
import { projectRoot } from './project_root.ts';

/** `npm run audit`: asks the registry for known weaknesses of what the product ships. Ends with 1 when
 *  it knows of a moderate one or worse. A registry that does not answer such questions is said, and
 *  is no weakness. */
const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  cwd: projectRoot(),
  encoding: 'utf8',
  shell: process.platform === 'win32',
});
const counts = countsIn(stdout);
if (counts === undefined) {
  console.log('The registry gave no audit: known weaknesses were not looked for.');
} else {
  const bad = ['moderate', 'high', 'critical'].filter((level) => Number(counts[level] ?? 0) > 0);
  console.log(`Known weaknesses: ${JSON.stringify(counts)}`);
  if (bad.length > 0) process.exitCode = 1;
}

function countsIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    // Looked at member by member.
    const report = JSON.parse(text) as { metadata?: { vulnerabilities?: Record<string, unknown> } };
    return report.metadata?.vulnerabilities;
  } catch {
    return undefined;
  }
}
