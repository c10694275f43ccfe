/** A tag with the path in the place of `*`, its slashes as dots. */
export function pathTag(tag: string, path: string): string {
  if (!tag.includes('*')) return tag;
  const dotted = path
    .replace(/^[A-Za-z]:/, '')
    .replaceAll(/[/\\]+/g, '.')
    .replace(/^\./, '');
  return tag.replaceAll('*', dotted);
}
