import { createHash } from 'node:crypto';
import type { RegexNode } from '../regex/ast.ts';

/** Numbers of the kernel's shortcuts; as `fastEnd` of assembly/pattern_shortcuts.ts. */
export const shortcutNumbers = {
  ipv4: 0,
  http_date: 1,
  number: 2,
  quoted: 3,
  iso8601: 4,
  syslog_date: 5,
} as const;

/** Definitions for which a shortcut is right, by pattern name and fingerprint. A definition that
 *  is not here is matched step by step: slower, never wrong. */
const known: Readonly<Record<string, readonly [keyof typeof shortcutNumbers, ...string[]]>> = {
  IPV4: ['ipv4', 'Rz2ymALWrmhdZ68W'],
  IP: ['ipv4', 'HpFFnQUhYrpj3Vz7'],
  IPORHOST: ['ipv4', 'yM-zdmUWh4ySPOnQ'],
  HTTPDATE: ['http_date', 'AX-ORGa9a100bjfz'],
  BASE10NUM: ['number', 'b8d2ZImB3bjpzFFx'],
  NUMBER: ['number', 'rUZJXDPRCD1LEEB-'],
  QUOTEDSTRING: ['quoted', 'XwT2YAYozI37R_as'],
  QS: ['quoted', 'BExmpSZkArQ2Q5vm'],
  TIMESTAMP_ISO8601: ['iso8601', 'Bz7u2J5VclXGrNvN'],
  SYSLOGTIMESTAMP: ['syslog_date', 'Nx73mpDXxHq5_fdH'],
};

/** The shortcut for a pattern's definition, if there is one. */
export function shortcutOf(name: string, definition: RegexNode): number | undefined {
  const entry = Object.hasOwn(known, name) ? known[name] : undefined;
  if (entry === undefined) return undefined;
  const [shortcut, ...fingerprints] = entry;
  return fingerprints.includes(fingerprintOf(definition)) ? shortcutNumbers[shortcut] : undefined;
}

/** A short text that is the same for equal patterns only; group numbers do not count. */
export function fingerprintOf(node: RegexNode): string {
  const text = JSON.stringify(node, (key, value: unknown) => {
    if (key === 'index' || key === 'semantic') return undefined;
    return value === Number.POSITIVE_INFINITY ? 'unbounded' : value;
  });
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
