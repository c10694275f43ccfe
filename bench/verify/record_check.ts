import { isDeepStrictEqual } from 'node:util';
import { clickHouseColumns } from '../scenarios/basic_scenarios.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { scenarioGroup } from '../scenarios/scenario.ts';
import type { CapturedRecord } from './captured_records.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Says what is wrong with a record that was made of these lines; undefined when nothing is. */
export type RecordCheck = (record: CapturedRecord, lines: readonly string[]) => string | undefined;

/** What the records of a scenario must hold, worked out anew from the generated lines. */
export function recordCheck(scenario: Scenario): RecordCheck {
  const check = checks[scenarioGroup(scenario)];
  if (check === undefined) throw new Error(`${scenario.id} has no check of its records`);
  return (record, lines) => {
    if (typeof record === 'string') return record === lines[0] ? undefined : 'another line';
    return check(record, lines, scenario);
  };
}

const combined =
  /^(?<clientip>\S+) (?<ident>\S+) (?<auth>\S+) \[(?<timestamp>[^\]]+)\] "(?<verb>\w+) (?<request>\S+) HTTP\/(?<httpversion>[\d.]+)" (?<response>\d+) (?:(?<bytes>\d+)|-) "(?<referrer>[^"]*)" "(?<agent>(?:[^"\\]|\\.)*)"$/;
const renamed: Readonly<Record<string, string>> = { clientip: 'client' };

function checkAccess(
  record: Fields,
  [line]: readonly string[],
  scenario: Scenario,
): string | undefined {
  const groups = combined.exec(line!)?.groups;
  if (groups === undefined || !('verb' in record)) {
    // Formats differ in what they take for well-formed, but never drop what is not.
    if (groups !== undefined && !/\\"| ""$/.test(line!)) return 'not parsed';
    return Object.values(record).includes(line) ? undefined : 'the line is gone';
  }
  const isThirdParty = scenarioGroup(scenario) === 'S7';
  for (const [name, value] of Object.entries(groups)) {
    if (name === 'timestamp' || value === undefined) continue;
    if (isThirdParty && name === 'bytes' && groups['verb'] === 'HEAD') continue;
    const found = record[isThirdParty ? (renamed[name] ?? name) : name];
    if (unquoted(String(found)) !== value) return `${name} is ${String(found)} and not ${value}`;
  }
  if (Date.parse(String(record['@timestamp'])) !== clfTime(groups['timestamp']!)) {
    return `@timestamp is ${String(record['@timestamp'])}`;
  }
  if (isThirdParty && record['outcome'] === undefined) return 'outcome is missing';
  if (scenario.id !== 'S6') return undefined;
  const isNamed = !['', '-'].includes(groups['agent']!);
  if (isNamed && typeof record['user_agent'] !== 'object') return 'user_agent is missing';
  const isFailed = Number(groups['response']) >= 500;
  return (record['alert'] === 'yes') === isFailed ? undefined : 'alert is wrong';
}

function unquoted(text: string): string {
  return text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

/** Milliseconds of `10/Oct/2026:13:55:36 +0000`. */
function clfTime(text: string): number {
  return Date.parse(text.replace(/^(\d+)\/(\w+)\/(\d+):/, '$1 $2 $3 '));
}

function checkFiltered(record: Fields, [line]: readonly string[]): string | undefined {
  const { msg, ...rest } = JSON.parse(line!) as Record<string, unknown>;
  return differing(record, { ...rest, message: msg, env: 'prod' }) ?? surplus(record, ['msg']);
}

function checkInserted(
  record: Fields,
  [line]: readonly string[],
  scenario: Scenario,
): string | undefined {
  const fields = JSON.parse(line!) as Record<string, unknown>;
  if (scenario.id !== 'S4.rowbinary') return differing(record, fields);
  const http = fields['http'] as Record<string, unknown>;
  const row = clickHouseColumns.map(({ name }) => {
    if (name === 'time') return [name, Date.parse(String(fields['time']))];
    return [name, name.startsWith('http_') ? http[name.slice(5)] : fields[name]];
  });
  return differing(record, Object.fromEntries(row));
}

/** A trace's lines with line feeds between; a container's texts one behind the other. */
function checkJoined(record: Fields, lines: readonly string[]): string | undefined {
  const isContainer = / std(?:out|err) [FP] /.test(lines[0]!);
  const wanted = isContainer
    ? lines.map((line) => line.replace(/^\S+ \S+ [FP] /, '')).join('')
    : lines.join('\n');
  return String(record['log']).trimEnd() === wanted.trimEnd() ? undefined : 'joined wrongly';
}

function differing(record: Fields, wanted: Fields): string | undefined {
  for (const [name, value] of Object.entries(wanted)) {
    if (isSame(record[name], value)) continue;
    return `${name} is ${JSON.stringify(record[name])} and not ${JSON.stringify(value)}`;
  }
  return undefined;
}

/** Peers that know texts only are not wrong about a number. */
function isSame(found: unknown, wanted: unknown): boolean {
  if (isDeepStrictEqual(found, wanted)) return true;
  if (typeof wanted === 'number') return typeof found === 'string' && Number(found) === wanted;
  if (!isObject(found) || !isObject(wanted)) return false;
  return Object.entries(wanted).every(([name, value]) => isSame(found[name], value));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function surplus(record: Fields, names: readonly string[]): string | undefined {
  const found = names.find((name) => name in record);
  return found === undefined ? undefined : `${found} is still there`;
}

const checks: Readonly<
  Record<
    string,
    (record: Fields, lines: readonly string[], scenario: Scenario) => string | undefined
  >
> = {
  S1: checkAccess,
  S2: checkFiltered,
  S3: () => 'an object and not a line',
  S4: checkInserted,
  S5: checkAccess,
  S6: checkAccess,
  S7: checkAccess,
  S8: checkJoined,
};
