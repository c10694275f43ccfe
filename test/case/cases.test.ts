import { test } from 'node:test';
import { caseFolders, runCase } from './case_runner.ts';

for (const folder of caseFolders()) {
  test(`case ${folder.name}`, () => runCase(folder));
  test(`case ${folder.name}, without the kernel`, () => runCase(folder, { withKernel: false }));
  if (!folder.isOwn) continue;
  test(`case ${folder.name}, in two worker threads`, () => runCase(folder, { workers: 2 }));
}
