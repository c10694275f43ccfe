import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../../scripts/project_root.ts';
import { caseRecords } from '../../event_log/evtx_events.ts';
import { securityRecords, sysmonRecords } from '../../event_log/security_events.ts';
import { chunksOf, evtxFile } from '../../event_log/evtx_writer.ts';

test('the log file of the case is what its records make', () => {
  const path = join(projectRoot(), 'test', 'case', 'cases', 'evtx', 'Security.evtx');
  assert.ok(evtxFile(chunksOf(caseRecords())).equals(readFileSync(path)));
});

test('the log files of windows-security are what their records make', () => {
  const directory = join(
    projectRoot(),
    'pipelines',
    'windows-security',
    'tests',
    'windows_security',
  );
  for (const [name, records] of [
    ['Security.evtx', securityRecords()],
    ['Sysmon.evtx', sysmonRecords()],
  ] as const) {
    assert.ok(evtxFile(chunksOf(records)).equals(readFileSync(join(directory, name))), name);
  }
});
