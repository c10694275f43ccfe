import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { cli, program, workplace } from './run_cli.ts';

const packaging = join(program, '..', '..', '..', 'packaging');

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly template: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly configMap?: { name: string } }[];
}

interface Container {
  readonly name: string;
  readonly securityContext?: { readonly readOnlyRootFilesystem?: boolean };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

function manifests(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(join(packaging, 'kubernetes', file), 'utf8')).map(
    (document) => {
      assert.deepEqual(document.errors, []);
      // What the file says is asserted below.
      return document.toJS() as Manifest;
    },
  );
}

for (const file of readdirSync(join(packaging, 'kubernetes')).filter((one) =>
  one.endsWith('.yaml'),
)) {
  test(`kubernetes/${file}: its pipeline passes check, its pod mounts what it names`, async (t) => {
    const all = manifests(file);
    const map = all.find(({ kind }) => kind === 'ConfigMap')!;
    const text = map.data!['pipeline.yaml']!;
    const directory = workplace(t, { 'pipeline.yaml': text });
    const { code, out, err } = await cli(['check', 'pipeline.yaml'], { cwd: directory });
    assert.equal(code, 0, err);
    assert.match(out, /^OK/);
    const pod = all.find(({ spec }) => spec !== undefined)!.spec!.template.spec;
    const containers = [...pod.containers, ...(pod.initContainers ?? [])];
    const volumes = pod.volumes.map(({ name }) => name);
    for (const { volumeMounts } of containers) {
      for (const { name } of volumeMounts) assert.ok(volumes.includes(name), name);
    }
    assert.ok(pod.volumes.some(({ configMap }) => configMap?.name === map.metadata.name));
    const agent = containers.find(({ name }) => name === 'sluice')!;
    assert.equal(agent.securityContext?.readOnlyRootFilesystem, true);
    const mounts = agent.volumeMounts.map(({ mountPath }) => mountPath);
    assert.ok(mounts.includes(/storage\.path: (\S+)/.exec(text)![1]!), 'the data have a volume');
    const graceSeconds = Number(/grace: (\d+)s/.exec(text)![1]);
    assert.ok(pod.terminationGracePeriodSeconds > graceSeconds + 5);
  });
}

test('the packaged unit is what install prints for the packaged pipeline', {
  skip: process.platform !== 'linux' && 'services of Linux',
}, async () => {
  const directory = join(packaging, 'systemd');
  assert.equal((await cli(['check', 'pipeline.yaml'], { cwd: directory })).code, 0);
  const args = ['service', 'install', '--print', '--group', 'adm', 'pipeline.yaml'];
  const { out, err } = await cli(args, { cwd: directory });
  if (err.includes('systemd-notify')) return;
  const withoutPaths = (unit: string) => unit.replace(/^ExecStart=.*$/m, 'ExecStart=');
  const packaged = readFileSync(join(directory, 'sluice.service'), 'utf8');
  assert.equal(withoutPaths(out), withoutPaths(packaged));
});

const scripts = readdirSync(join(packaging, 'windows')).filter((one) => one.endsWith('.ps1'));

for (const script of scripts) {
  test(`windows/${script}: every verb and option that it gives sluice is one`, async () => {
    const text = readFileSync(join(packaging, 'windows', script), 'utf8');
    const { out } = await cli(['help', 'service']);
    const options = text.match(/(?<=[\s'])--[a-z-]+/g) ?? [];
    for (const option of options) assert.match(out, new RegExp(`^  ${option} `, 'm'));
    const verbs = [...text.matchAll(/'service', '([a-z]+)'|\$program service ([a-z]+) /g)];
    for (const [all, quoted, bare] of verbs) {
      assert.match(out, new RegExp(`[ |]${quoted ?? bare}[ |]`), all);
    }
    if (script === 'Install-Sluice.ps1') assert.ok(verbs.length >= 4 && options.length >= 5);
  });

  test(`windows/${script}: plain text that every Windows reads, with what it opens closed`, () => {
    const bytes = readFileSync(join(packaging, 'windows', script));
    assert.ok(bytes.every((byte) => byte === 10 || (byte >= 32 && byte < 127)));
    assert.equal(unclosed(bytes.toString()), '');
  });
}

test('windows/check-windows.ps1: the pipelines that it writes pass check', async (t) => {
  const text = readFileSync(join(packaging, 'windows', 'check-windows.ps1'), 'utf8');
  const pipelines = [...text.matchAll(/^ *@"\n([\s\S]*?)\n"@/gm)].map(([, one]) =>
    one!.replaceAll(/\$(?:forward|source)\b/g, 'C:/Temp/check'),
  );
  assert.equal(pipelines.length, 2);
  for (const pipeline of pipelines) {
    assert.doesNotMatch(pipeline, /[$`]/);
    const directory = workplace(t, { 'pipeline.yaml': pipeline });
    const { out } = await cli(['check', '--format', 'json', 'pipeline.yaml'], { cwd: directory });
    // Elsewhere than on Windows all that is wrong with them is the system.
    const problems = out.startsWith('[') ? (JSON.parse(out) as { message: string }[]) : [];
    const others = problems.filter(
      ({ message }) => !/needs Windows|only Windows has/.test(message),
    );
    assert.deepEqual(others, []);
  }
});

/** What is open at the end, or the first bracket that closes nothing. Comments and texts are passed over, but
 *  not what `$(...)` runs within a text. */
function unclosed(text: string): string {
  const closes: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
  const open: string[] = [];
  const passed = /<#[\s\S]*?#>|@"\n[\s\S]*?\n"@|(?<![\w`])#.*|'[^']*'|`[\s\S]/y;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!;
    const isInText = open.at(-1) === '"';
    passed.lastIndex = at;
    const piece = isInText ? undefined : passed.exec(text)?.[0];
    if (piece !== undefined) at += piece.length - 1;
    else if (sign === '`') at++;
    else if (sign === '"' && isInText) open.pop();
    else if (sign === '"') open.push(sign);
    else if (isInText && !text.startsWith('$(', at)) continue;
    else if (isInText) open.push(text[++at]!);
    else if ('([{'.includes(sign)) open.push(sign);
    else if (sign in closes && open.pop() !== closes[sign])
      return `${sign} of ${text.slice(at - 60, at)}`;
  }
  return open.join('');
}
