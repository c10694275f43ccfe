import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { place, skip } from './executable_place.ts';

test('the executable is a service by itself: koffi is inside', { skip }, async (t) => {
  const text = `
service: {storage.path: state}
pipeline:
  inputs: [{name: dummy, rate: 10}]
  outputs: [{name: 'null', match: '*'}]
`;
  const { directory, run } = place(t, { 'p.yaml': text });
  const name = `SluiceExe${Date.now()}`;
  const data = join(directory, 'data');
  const service = (verb: string, ...args: string[]) =>
    run('service', verb, '--name', name, ...args);
  try {
    assert.equal(
      (await service('install', '--start-type', 'manual', '--directory', data, 'p.yaml')).code,
      0,
    );
    const started = await service('start');
    assert.equal(started.code, 0, started.err);
    const { out } = await service('status');
    assert.match(out, /: running/);
    assert.match(out, /sluice\.exe run --service /);
    assert.equal((await service('stop')).code, 0);
    assert.match(readFileSync(join(data, 'sluice.log'), 'utf8'), /The agent stopped/);
  } finally {
    assert.equal((await service('uninstall')).code, 0);
  }
});
