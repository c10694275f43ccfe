import type { GrokPattern } from '../../shared/grok/grok.ts';
import type { Options } from './config.ts';

/** What checking the options compiled, for the filter that is made of the same options. */
const knownPatterns = new WeakMap<Options, Map<string, GrokPattern>>();

/** The patterns of these options that are compiled already, by source. None when definitions come from files,
 *  which may change. */
export function knownPatternsOf(options: Options): Map<string, GrokPattern> {
  const known = knownPatterns.get(options) ?? new Map<string, GrokPattern>();
  if ((options.patterns_dir ?? []).length === 0) knownPatterns.set(options, known);
  return known;
}
