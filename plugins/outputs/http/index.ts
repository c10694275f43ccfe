import { defineOutput, messageOf, type OptionProblem } from '../../../core/sdk/index.ts';
import { parseAddress } from '../../shared/http_client/address.ts';
import { type HttpOutputOptions, schema } from './config.ts';
import { HttpOutput } from './http_output.ts';
import { checkRecordRequests } from './record_requests.ts';
import { checkHeaders } from './request_headers.ts';

export const plugin = defineOutput<HttpOutputOptions>({
  name: 'http',
  summary: 'Sends records to an HTTP server, as a JSON array, as lines, or one behind the other.',
  description: `A request counts as delivered when the server answers 2xx. What it refuses for good goes to the dead letters; 408, 429, 5xx and
what a person can mend (401, 403, 404) are tried again. Every request has an \`Idempotency-Key\` that is the same on each try, which the
\`http\` input of Sluice knows.`,
  stability: 'beta',
  encodesApart: true,
  schema,
  batch: { bytes: 1024 * 1024, records: 10_000 },
  example: `pipeline:
  inputs:
    - name: tail
      path: /var/log/app/*.log
      tag: app
  outputs:
    - name: http
      match: app
      host: 127.0.0.1
      port: 8080
      uri: /ingest
      format: json_lines
`,
  check: (options) => [
    ...checkAddress(options),
    ...checkUri(options),
    ...checkHeaders(options),
    ...checkRecordRequests(options),
  ],
  create: (options, context) => new HttpOutput(options, context),
});

function checkAddress(options: HttpOutputOptions): OptionProblem[] {
  try {
    parseAddress(options.host, { port: options.port, isTls: false });
    return [];
  } catch (error) {
    return [{ path: ['host'], message: messageOf(error) }];
  }
}

function checkUri(options: HttpOutputOptions): OptionProblem[] {
  if (/^[\x21-\x7e]*$/.test(options.uri)) return [];
  const message = 'The uri has spaces or other characters that must be percent-encoded.';
  return [{ path: ['uri'], message }];
}
