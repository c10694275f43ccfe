import type { PluginKind } from './base_options.ts';
import { type ConfigNode, entryIgnoringCase, type MapNode, nodeAt } from './node.ts';
import { nameKeyOf } from './schema.ts';

/** A place where a file names a plugin, as it is written there. */
export interface PluginMention {
  readonly kind: PluginKind;
  readonly text: string;
}

const sections: readonly (readonly [PluginKind, readonly string[]])[] = [
  ['parser', ['parsers']],
  ['input', ['pipeline', 'inputs']],
  ['filter', ['pipeline', 'filters']],
  ['output', ['pipeline', 'outputs']],
];

/** The plugins that a tree names. The tree is merged and interpolated, not yet checked: a section may still
 *  be one entry instead of a list, and what is no entry is passed over. */
export function listMentions(root: MapNode | undefined): readonly PluginMention[] {
  if (root === undefined) return [];
  return sections.flatMap(([kind, path]) => {
    const { node, found } = nodeAt(root, path);
    if (!found) return [];
    return entriesOf(node).flatMap((entry) => [
      ...mentionOf(entry, kind),
      ...processorsOf(entry).flatMap((processor) => mentionOf(processor, 'filter')),
    ]);
  });
}

function processorsOf(entry: ConfigNode): readonly ConfigNode[] {
  const processors = entryIgnoringCase(entry, 'processors')?.value;
  const logs = processors && entryIgnoringCase(processors, 'logs')?.value;
  return logs === undefined ? [] : entriesOf(logs);
}

function entriesOf(node: ConfigNode): readonly ConfigNode[] {
  return node.kind === 'list' ? node.items : [node];
}

function mentionOf(entry: ConfigNode, kind: PluginKind): readonly PluginMention[] {
  const name = entryIgnoringCase(entry, nameKeyOf(kind))?.value;
  return name?.kind === 'scalar' ? [{ kind, text: name.text }] : [];
}
