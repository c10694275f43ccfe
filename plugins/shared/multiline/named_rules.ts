import { byteSieve, compileRegex, type PluginContext } from '../../../core/sdk/index.ts';
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
    (source) => {
      const regex = compileRegex(source);
      return {
        test: (text) => regex.test(text),
        mayMatch: (text) => regex.mayMatch(text),
        needsGuard: (length) => regex.needsGuard(length),
        sieve: byteSieve(source),
        matched: (text) => {
          const match = regex.exec(text);
          return match === null ? undefined : text.slice(match.index, match.end);
        },
      };
    },
    (parser) => context.parser(parser),
  );
}
