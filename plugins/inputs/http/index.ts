import { defineInput, type OptionProblem } from '../../../core/sdk/index.ts';
import { type HttpInputOptions, schema } from './config.ts';
import { HttpInput } from './http_input.ts';

/** Takes records over HTTP. */
export const plugin = defineInput<HttpInputOptions>({
  name: 'http',
  summary: 'Takes records over HTTP: JSON lines, JSON arrays, or lines of text.',
  stability: 'beta',
  schema,
  refusable: true,
  example: `pipeline:
  inputs:
    - name: http
      listen: 127.0.0.1
      port: 9880
  outputs:
    - name: stdout
      match: '*'
`,
  check,
  create: (options, context) => new HttpInput(options, context),
});

function check(options: HttpInputOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const needs = (key: keyof HttpInputOptions, other: keyof HttpInputOptions) => {
    if (options[key] === undefined || options[key] === false) return;
    if (options[other] !== undefined && options[other] !== false) return;
    problems.push({ path: [key], message: `\`${key}\` needs \`${other}\`.` });
  };
  needs('http_user', 'http_passwd');
  needs('http_passwd', 'http_user');
  needs('tls', 'tls.crt_file');
  needs('tls', 'tls.key_file');
  needs('tls.crt_file', 'tls');
  needs('tls.verify_client_cert', 'tls.ca_file');
  return problems;
}
