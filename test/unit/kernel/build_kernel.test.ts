import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { layout } from '../../../core/batch/layout.ts';
import { loadKernel, openKernel } from '../../../core/kernel/kernel.ts';
import { compileKernel } from '../../../scripts/build_kernel.ts';

test('the committed kernel.wasm is what its sources compile to', async () => {
  const built = await compileKernel(process.cwd());
  const committed = readFileSync(join(process.cwd(), 'core/kernel/kernel.wasm'));
  assert.ok(
    Buffer.from(built).equals(committed),
    'Run "node dist/scripts/build_kernel.js" and commit core/kernel/kernel.wasm.',
  );
});

test('SLUICE_KERNEL=off keeps the kernel away and says so', () => {
  assert.equal(loadKernel({ SLUICE_KERNEL: 'off' }), undefined);
  assert.match(openKernel({ SLUICE_KERNEL: 'off' }).reason ?? '', /SLUICE_KERNEL/);
});

test('the static data of the kernel lies below its programs', () => {
  const kernel = loadKernel({});
  assert.ok(kernel !== undefined);
  assert.ok(kernel.code.staticEnd.value > 1024);
  assert.ok(kernel.code.staticEnd.value <= layout.programStart);
});
