import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../../scripts/project_root.ts';
import { caseRecords } from '../../event_log/evtx_events.ts';
import { chunksOf, evtxFile } from '../../event_log/evtx_writer.ts';

test('the log file of the case is what its records make', () => {
  const path = join(projectRoot(), 'test', 'case', 'cases', 'evtx', 'Security.evtx');
  assert.ok(evtxFile(chunksOf(caseRecords())).equals(readFileSync(path)));
});
