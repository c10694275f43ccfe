import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { defineOutput, JsonRecordEncoder } from '../../core/sdk/index.ts';
import { scriptedInput, startPipeline, waitUntil } from '../../core/testing/index.ts';
import { plugin as grep } from '../../plugins/filters/grep/index.ts';
import { plugin as grok } from '../../plugins/filters/grok/index.ts';
import { plugin as modify } from '../../plugins/filters/modify/index.ts';
import { plugin as multiline } from '../../plugins/filters/multiline/index.ts';
import { plugin as mutate } from '../../plugins/filters/mutate/index.ts';
import { plugin as parser } from '../../plugins/filters/parser/index.ts';
import { plugin as rewriteTag } from '../../plugins/filters/rewrite_tag/index.ts';
import { plugin as tail } from '../../plugins/inputs/tail/index.ts';
import { plugin as regexParser } from '../../plugins/parsers/regex/index.ts';

/** A pattern and a text that it runs away on. */
export interface Runaway {
  readonly pattern: string;
  readonly text: string;
}

const long = (unit: string) => `${unit.repeat(Math.ceil(65_535 / unit.length)).slice(0, 65_535)}!`;

/** Patterns that are known for it; others are found by search. */
export const knownRunaways: readonly Runaway[] = [
  // It runs away on nothing: what the batch costs by itself.
  { pattern: '^z', text: long('a') },
  { pattern: '(a+)+$', text: long('a') },
  { pattern: '^(a+)+$', text: `${'a'.repeat(60)}!` },
  { pattern: '(a|aa)+$', text: long('a') },
  { pattern: '(x+x+)+y', text: long('x') },
  { pattern: '(?:.*=.*)+;$', text: long('=') },
  { pattern: '.*.*.*=.*;', text: long('x') },
  { pattern: '\\s+$', text: long(' ') },
  { pattern: '^(([a-z])+.)+[A-Z]([a-z])+$', text: long('a') },
  { pattern: '(?:a?){40}a{40}$', text: long('a') },
  { pattern: '^(?:a|aa){40}b', text: `${'a'.repeat(90)}!` },
];

/** Where expressions of users meet texts of records, and how a pipeline says it. */
const places: Readonly<Record<string, (pattern: string) => Place>> = {
  grok: (p) => ({ filter: `name: grok, key_name: text, pattern: '${p}'` }),
  'grep exclude': (p) => ({ filter: `name: grep, exclude: 'text ${p}'` }),
  'mutate gsub': (p) => ({ filter: `name: mutate, gsub: ['text', '${p}', 'x']` }),
  'modify condition': (p) => ({
    filter: `name: modify, condition: 'Key_value_matches text ${p}', add: 'x y'`,
  }),
  rewrite_tag: (p) => ({ filter: `name: rewrite_tag, rule: '$text ${p} new true'` }),
  'parser regex': (p) => ({
    parsers: `[{name: hostile, format: regex, regex: '(?<x>${p})'}]`,
    filter: 'name: parser, key_name: text, parser: hostile',
  }),
  'when of a filter': (p) => ({
    filter: `name: modify, add: 'x y', when: 'text =~ /${p}/'`,
  }),
  'when of an output': (p) => ({ when: `text !~ /${p}/` }),
  'multiline filter': (p) => ({
    multiline: rules(p),
    filter: 'name: multiline, multiline.key_content: text, multiline.parser: hostile',
  }),
  'multiline of tail': (p) => ({ multiline: rules(p), isTailed: true }),
};

const rules = (pattern: string) =>
  `[{name: hostile, type: regex, flush_timeout: 1000, rules: [{state: start_state, regex: '${pattern}', next_state: cont}, {state: cont, regex: '^ ', next_state: cont}]}]`;

interface Place {
  readonly filter?: string;
  readonly when?: string;
  readonly parsers?: string;
  readonly multiline?: string;
  /** The texts are lines of a file. */
  readonly isTailed?: boolean;
}

export interface Delay {
  readonly place: string;
  readonly pattern: string;
  /** Longest that a batch of another input took from the end of the one before: on the clock, and
   *  of the processor's time. */
  readonly clockMs: number;
  readonly processorMs: number;
  readonly batches: number;
}

/**
 * Sends a batch of texts that an expression runs away on through each place that takes
 * expressions, beside another input whose batches come without a pause. Returns the longest that
 * one of those was delayed, a place and pattern each.
 */
export async function* runawayDelays(
  runaways: readonly Runaway[],
  part = '',
): AsyncGenerator<Delay> {
  for (const [place, make] of Object.entries(places)) {
    if (!place.includes(part)) continue;
    for (const runaway of runaways) {
      yield { place, pattern: runaway.pattern, ...(await delayAt(make(runaway.pattern), runaway)) };
    }
  }
}

async function delayAt(place: Place, { text }: Runaway) {
  const hostile = scriptedInput('hostile');
  const neighbour = scriptedInput('neighbour');
  const [taking, other] = [sink('taking'), sink('other')];
  const plugins = [grep, grok, modify, multiline, mutate, parser, rewriteTag, tail, regexParser];
  const { filter, when, parsers = '[]', multiline: multilines = '[]', isTailed } = place;
  const { directory, stop } = await startPipeline({
    yaml: `
service: {flush: 1ms}
parsers: ${parsers}
multiline_parsers: ${multilines}
pipeline:
  inputs:
    - {name: hostile, tag: h}
    - {name: neighbour, tag: n}
    - {name: tail, tag: h, path: '*.log', read_from_head: true, refresh_interval: 100ms${isTailed ? ', multiline.parser: hostile' : ''}}
  filters: [${filter === undefined ? '' : `{match: h, ${filter}}`}]
  outputs:
    - {name: taking, alias: taking, match_regex: '^(h|new)$'${when === undefined ? '' : `, when: '${when}'`}}
    - {name: other, alias: other, match: n}
`,
    plugins: [hostile.plugin, neighbour.plugin, taking.plugin, other.plugin, ...plugins] as never,
  });
  // Each differs, so that nothing remembered helps.
  const texts = Array.from({ length: text.length > 1000 ? 7 : 200 }, (_, n) => `${n}${text}`);
  let isOver = false;
  let before = { clockMs: performance.now(), cpu: process.cpuUsage() };
  const longest = { clockMs: 0, processorMs: 0, batches: 0 };
  const sent = attack();
  while (!isOver) {
    await neighbour.emit([{ n: longest.batches }], 'n');
    const { user, system } = process.cpuUsage(before.cpu);
    longest.clockMs = Math.max(longest.clockMs, performance.now() - before.clockMs);
    longest.processorMs = Math.max(longest.processorMs, (user + system) / 1000);
    longest.batches++;
    before = { clockMs: performance.now(), cpu: process.cpuUsage() };
    await setImmediate();
  }
  await sent;
  await stop();
  return longest;

  async function attack(): Promise<void> {
    try {
      if (isTailed) await writeFile(join(directory, 'a.log'), `${texts.join('\n')}\n`);
      else
        await hostile.emit(
          texts.map((one) => ({ text: one })),
          'h',
        );
      // A filter may take some away, or join them.
      if (isTailed) await waitUntil('all arrives', () => taking.records >= texts.length, 120_000);
    } finally {
      isOver = true;
    }
  }
}

/** An output that takes everything at no cost. */
function sink(name: string) {
  const counts = { records: 0 };
  const plugin = defineOutput<Record<string, never>>({
    name,
    summary: 'Takes everything.',
    stability: 'experimental',
    schema: { type: 'object', properties: {} },
    example: '',
    create: (_options, context) => ({
      encoder: new JsonRecordEncoder({ fingerprint: name, kernel: context.kernel }),
      deliver: async (chunk) => {
        counts.records += chunk.count;
        return { kind: 'accepted' };
      },
    }),
  });
  return Object.assign(counts, { plugin });
}
