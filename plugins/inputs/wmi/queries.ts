import type { OptionProblem } from '../../../core/sdk/index.ts';
import type { LaneName } from '../../shared/collect/lanes.ts';
import type { QueryOptions, WmiOptions } from './config.ts';

/** One thing that is asked again and again. */
export interface WmiQuery {
  readonly name: string;
  readonly namespace: string;
  readonly wql: string;
  readonly properties: readonly string[];
  readonly fallback: string | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number | undefined;
  readonly lane: LaneName;
}

/** The queries that the options name. */
export function queriesOf(options: WmiOptions): WmiQuery[] {
  const classes = options.classes.map((name): QueryOptions => ({ class: name }));
  return [...options.queries, ...classes].map((query, at) => ({
    name: nameOf(query, at),
    namespace: query.namespace ?? options.namespace,
    wql: query.wql ?? wqlOf(query),
    properties: query.properties ?? [],
    fallback: query.fallback,
    intervalMs: query.interval ?? options.interval,
    timeoutMs: query.timeout,
    lane: query.priority ?? 'normal',
  }));
}

/** What the schema cannot say. */
export function checkOptions(options: WmiOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const say = (path: string[], message: string): void => void problems.push({ path, message });
  if (options.queries.length + options.classes.length === 0) {
    say(['queries'], 'Name what is asked: `classes`, or `queries` with a `class` or `wql` each.');
  }
  options.classes.forEach((name) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) say(['classes'], `${name} is no name of a class.`);
  });
  const names = new Set<string>();
  options.queries.forEach((query, at) => {
    const path = ['queries', String(at)];
    if ((query.class === undefined) === (query.wql === undefined)) {
      say(path, 'A query has either a `class` or `wql`.');
    } else if (query.wql !== undefined && (query.where ?? query.properties) !== undefined) {
      say(path, '`where` and `properties` go with `class`; put them into the `wql`.');
    }
    for (const key of ['wql', 'fallback'] as const) checkWql(query[key], [...path, key], say);
    const name = nameOf(query, at);
    if (names.has(name)) say([...path, 'name'], `Two queries are called ${name}: name them.`);
    names.add(name);
  });
  return [...problems, ...checkHost(options)];
}

function checkHost(options: WmiOptions): OptionProblem[] {
  const { host, username, password, transport } = options;
  const problem = (key: string, message: string): OptionProblem[] => [{ path: [key], message }];
  if (username !== undefined && host === undefined) {
    return problem('username', 'WMI takes an account only for another host: name the `host`.');
  }
  if (transport !== 'winrm') return [];
  if (host === undefined) return problem('host', 'WinRM needs the name of a `host`.');
  if (username === undefined || password === undefined) {
    return problem('username', 'WinRM needs a `username` and a `password`.');
  }
  if (options.authentication === 'basic' && !options.tls) {
    return problem('authentication', 'Without TLS the password could be read: use `ntlm`.');
  }
  return [];
}

function checkWql(
  text: string | undefined,
  path: string[],
  say: (path: string[], message: string) => void,
): void {
  if (text === undefined || /^\s*(?:select|associators\s+of|references\s+of)\s/i.test(text)) return;
  say(path, 'WQL begins with SELECT, ASSOCIATORS OF or REFERENCES OF.');
}

function nameOf(query: QueryOptions, at: number): string {
  return query.name ?? query.class ?? `query_${at}`;
}

function wqlOf({ class: className, properties, where }: QueryOptions): string {
  const select = `SELECT ${properties?.join(', ') ?? '*'} FROM ${className}`;
  return where === undefined ? select : `${select} WHERE ${where}`;
}
