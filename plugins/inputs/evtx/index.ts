import { defineInput } from '../../../core/sdk/index.ts';
import { type EvtxOptions, schema } from './config.ts';
import { EvtxInput } from './evtx_input.ts';

/** Reads the files of the Windows Event Log on any operating system. */
export const plugin = defineInput<EvtxOptions>({
  name: 'evtx',
  summary: 'Reads .evtx files of the Windows Event Log, on any operating system.',
  description:
    'Reads the records of .evtx files, those of files that are still written included, into the same shape as a subscription to the Event Log has. Chunks and records that are damaged are skipped, counted and named in the log; the rest is read. Positions are kept once every output has the records.',
  stability: 'beta',
  schema,
  example: `pipeline:
  inputs:
    - name: evtx
      path: /evidence/**/*.evtx
      tag: windows.*
      path_key: file
  outputs:
    - name: stdout
      match: 'windows.*'
`,
  replayable: true,
  isFinite: (options) => options.exit_on_eof,
  create: (options, context) => new EvtxInput(options, context),
});
