import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditDependencies, problemsOfLock } from '../../scripts/dependency_audit.ts';
import { projectRoot } from '../../scripts/project_root.ts';

const lock = (packages: object) => JSON.stringify({ packages: { '': {}, ...packages } });
const good = { version: '1.0.0', integrity: 'sha512-x' };

test('a lock file may only pin packages of a registry by their hash, without scripts of their own', () => {
  for (const [locked, expected] of [
    [good, /^$/],
    [{ ...good, resolved: 'https://host/a.tgz' }, /^$/],
    [{ version: '1.0.0' }, /^a 1\.0\.0 is not pinned by a hash$/],
    [{ ...good, integrity: 'sha1-x' }, /not pinned/],
    [{ ...good, resolved: 'git+ssh://host/a.git' }, /from no registry/],
    [{ ...good, resolved: 'file:../a' }, /from no registry/],
    [{ ...good, hasInstallScript: true }, /runs a script/],
    [{ ...good, deprecated: 'use b' }, /deprecated: use b/],
    [{ ...good, deprecated: 'use b', dev: true }, /^$/],
    [{ version: '1.0.0', link: true }, /^$/],
  ] as const) {
    assert.match(
      problemsOfLock(lock({ 'node_modules/b/node_modules/a': locked })).join(),
      expected,
    );
  }
  assert.deepEqual(
    problemsOfLock(lock({ 'node_modules/koffi': { ...good, hasInstallScript: true } })),
    [],
  );
});

test('the audit of this project passes, and says what the registry knows, or that it could not be asked', async () => {
  const answer = (severity: string) =>
    JSON.stringify({ vulnerabilities: { a: { severity } }, metadata: { vulnerabilities: {} } });
  for (const [text, ok, says] of [
    [answer('high'), false, /Known weaknesses of what ships: a \(high\)\./],
    [answer('low'), true, /weaknesses of what ships: none\./],
    ['{"statusCode":405,"body":""}', true, /Could not ask/],
    ['', true, /Could not ask/],
  ] as const) {
    const report = await auditDependencies(projectRoot(), async () => text);
    assert.deepEqual([report.ok, says.test(report.lines.join('\n'))], [ok, true], text);
  }
});
