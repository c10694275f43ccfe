import { defineFilter, messageOf, type OptionProblem } from '../../../core/sdk/index.ts';
import { type Options, schema } from './config.ts';
import { ScriptFilter } from './script_filter.ts';
import { compileScript } from './user_function.ts';

export const plugin = defineFilter<Options>({
  name: 'script',
  summary: 'Calls a JavaScript function for each record.',
  stability: 'beta',
  schema,
  example: `pipeline:
  inputs:
    - name: stdin
      tag: app
  filters:
    - name: parser
      match: app
      parser: json
    - name: script
      match: app
      code: |
        (event, tag) => {
          if (event.get('level') === 'debug') return null;
          event.set('seconds', event.get('duration_ms') / 1000);
        }
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkScript,
  create: (options, context) => new ScriptFilter(options, context),
});

function checkScript(options: Options): OptionProblem[] {
  const { code, file } = options;
  if (code === undefined && file === undefined) {
    return [{ path: [], message: 'Say where the function is: code, or file.' }];
  }
  if (code === undefined) return [];
  if (file !== undefined) {
    return [{ path: ['file'], message: 'Use either code or file, not both.' }];
  }
  try {
    compileScript(code, 'code');
    return [];
  } catch (error) {
    return [{ path: ['code'], message: messageOf(error) }];
  }
}
