import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CompiledForms } from '../../cli/compiled_forms.ts';

const source = Buffer.from('1 + 1');
const forms = [
  { name: 'a', source, code: Buffer.from('form of a') },
  { name: 'b', source: Buffer.from('2'), code: Buffer.from('form of b') },
];

test('a compiled form is taken while the source, the form and the version of Node are its own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-forms-'));
  const path = join(directory, 'compiled.v8');
  try {
    writeFileSync(path, CompiledForms.fileOf(forms));
    const whole = readFileSync(path);
    const intact = new CompiledForms(path);
    assert.equal(intact.of('a', source)?.toString(), 'form of a');
    assert.equal(intact.of('b', Buffer.from('2'))?.toString(), 'form of b');
    assert.equal(intact.of('a', Buffer.from('1 + 2')), undefined, 'another source');
    assert.equal(intact.of('c', source), undefined, 'not in the file');

    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = damaged[at]! ^ 0x10;
      writeFileSync(path, damaged);
      const found = new CompiledForms(path).of('a', source)?.toString();
      assert.ok(found === undefined || found === 'form of a', `byte ${at}: ${found}`);
    }
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      assert.equal(new CompiledForms(path).of('b', Buffer.from('2')), undefined);
    }
    const version = Buffer.from(process.version);
    const other = Buffer.from(whole);
    other[other.indexOf(version) + version.length - 1]! ^= 1;
    writeFileSync(path, other);
    assert.equal(new CompiledForms(path).of('a', source), undefined, 'another version of Node');
    rmSync(path);
    assert.equal(new CompiledForms(path).of('a', source), undefined, 'no file');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
