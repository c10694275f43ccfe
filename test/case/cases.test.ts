import { test } from 'node:test';
import { caseFolders, runCase } from './case_runner.ts';

for (const folder of caseFolders()) {
  test(`case ${folder.name}`, () => runCase(folder, true));
  test(`case ${folder.name}, without the kernel`, () => runCase(folder, false));
}
