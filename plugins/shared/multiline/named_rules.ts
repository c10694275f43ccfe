import { compileRegex, type PluginContext } from '../../../core/sdk/index.ts';
import { builtInDefinition } from './built_in.ts';
import { compileMultiline, containerRules, type MultilineRules } from './definition.ts';

const containerFlushMs = 4000;

/** A multiline parser by name: built in, or defined in the pipeline file. Errors: those of
 *  `compileMultiline` and `context.multilineRules`. */
export function namedRules(name: string, context: PluginContext): MultilineRules {
  if (name === 'cri' || name === 'docker') return containerRules(name, containerFlushMs);
  const definition = builtInDefinition(name) ?? context.multilineRules(name);
  return compileMultiline(
    definition,
    (source) => compileRegex(source),
    (parser) => context.parser(parser),
  );
}
