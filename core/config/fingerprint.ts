import { createHash } from 'node:crypto';
import { Secret } from './secret.ts';

const hexLength = 32;

/** A hash of options, the same whatever the order of their keys. Secrets count, but only as part of the hash. */
export function fingerprintOf(value: unknown): string {
  return createHash('sha256').update(canonicalText(value)).digest('hex').slice(0, hexLength);
}

/** Every kind of value starts with its own letter, so that no two values share a text. */
function canonicalText(value: unknown): string {
  if (value instanceof Secret) return `s${JSON.stringify(value.reveal())}`;
  if (value === undefined) return 'u';
  if (typeof value === 'number') return `n${value}`;
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return `j${JSON.stringify(value)}`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalText(member)}`)
    .sort();
  return `{${members.join(',')}}`;
}
