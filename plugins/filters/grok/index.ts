import { defineFilter, messageOf, type OptionProblem } from '../../../core/sdk/index.ts';
import { compileGrok } from '../../shared/grok/grok.ts';
import { fieldPatterns, isList, type Options, schema } from './config.ts';
import { GrokFilter, grokOptions } from './grok_filter.ts';
import { knownPatternsOf } from './known_patterns.ts';

export const plugin = defineFilter<Options>({
  name: 'grok',
  summary: 'Takes lines apart with grok patterns.',
  description:
    'Matches the raw line, or another field, against patterns of the Logstash library and of your own, and stores what they capture in fields.',
  stability: 'beta',
  isStateless: true,
  schema,
  example: `pipeline:
  inputs:
    - name: stdin
      tag: access
  filters:
    - name: grok
      match: access
      patterns:
        - '%{COMBINEDAPACHELOG}'
        - '%{SYSLOGBASE} %{WORK:what} took %{NUMBER:took_ms:float}'
      pattern_definitions:
        WORK: '(?:load|store) [a-z]+'
      remove_field: [log]
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkPatterns,
  create: (options, context) => new GrokFilter(options, context),
});

function checkPatterns(options: Options): OptionProblem[] {
  const { pattern, patterns, key_name, patterns_dir = [] } = options;
  if (pattern !== undefined && patterns !== undefined) {
    return [{ path: ['patterns'], message: 'Either pattern or patterns is given, not both.' }];
  }
  if (pattern === undefined && patterns === undefined) {
    return [{ path: [], message: 'The grok filter needs a pattern, or patterns.' }];
  }
  const isMap = patterns !== undefined && !isList(patterns);
  if (isMap && key_name !== undefined) {
    return [{ path: ['key_name'], message: 'Where patterns is a map, it names the fields.' }];
  }
  // What the files define is known when they are read, on opening.
  if (patterns_dir.length > 0) return [];
  const problems: OptionProblem[] = [];
  const known = knownPatternsOf(options);
  for (const set of fieldPatterns(options)) {
    set.patterns.forEach((one, i) => {
      try {
        compileGrok({ ...grokOptions(options), patterns: [one] }, known);
      } catch (error) {
        problems.push({ path: placeOf(options, set.field, i), message: messageOf(error) });
      }
    });
  }
  return problems;
}

function placeOf(options: Options, field: string | undefined, i: number): readonly string[] {
  const { pattern, patterns = [] } = options;
  if (pattern !== undefined) return ['pattern'];
  if (isList(patterns)) return ['patterns', String(i)];
  const own = patterns[field!];
  return typeof own === 'string' ? ['patterns', field!] : ['patterns', field!, String(i)];
}
