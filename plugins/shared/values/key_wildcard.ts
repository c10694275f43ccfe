/** Tells whether a key is meant by a name with an optional `*` at its end, as Fluent Bit has it:
 *  `kube*` means all keys that begin with `kube`, `kube` only itself. */
export function keyWildcard(pattern: string): (key: string) => boolean {
  if (!pattern.endsWith('*')) return (key) => key === pattern;
  const prefix = pattern.slice(0, -1);
  return (key) => key.startsWith(prefix);
}
