import { messageOf } from '../../core/errors/sluice_error.ts';
import { runGuarded } from '../../core/regex/guard.ts';
import { explainGrok } from '../../plugins/shared/grok/explain.ts';
import { lowerPattern } from '../../plugins/shared/grok/lower_pattern.ts';
import { compileGrok, type Grok, grokLine } from '../../plugins/shared/grok/grok.ts';
import {
  definitionsEndingInBlanks,
  loadPatternFiles,
} from '../../plugins/shared/grok/pattern_files.ts';
import type { Command, CommandCall } from '../command.ts';
import { exitCode } from '../exit_codes.ts';
import { readLines } from '../line_input.ts';
import { TextOutput } from '../text_output.ts';
import { listOption, textOption, usageError } from '../usage_error.ts';

const lineTimeoutMs = 1000;

/** `sluice grok PATTERN`: what a pattern makes of lines. */
export const grok: Command = {
  name: 'grok',
  summary: 'Reads lines from standard input and prints what a grok pattern captures, as JSON.',
  usage:
    'sluice grok [--ecs v1|disabled] [--patterns-dir PATH]... [--define NAME=PATTERN]... [--explain] PATTERN...',
  options: {
    ecs: { type: 'string', help: 'Names of captured fields: disabled (default) or v1.' },
    'patterns-dir': {
      type: 'string',
      multiple: true,
      help: 'Directory, file or glob with pattern definitions; may be given again.',
    },
    define: {
      type: 'string',
      multiple: true,
      help: 'A definition, as NAME=PATTERN; may be given again.',
    },
    explain: {
      type: 'boolean',
      help: 'Show where a line stopped matching, instead of null.',
    },
  },
  async run(call) {
    if (call.positionals.length === 0) return usageError(call, grok, 'name a pattern');
    const ecs = textOption(call, 'ecs') ?? 'disabled';
    if (ecs !== 'v1' && ecs !== 'disabled') {
      return usageError(call, grok, `--ecs is v1 or disabled, not "${ecs}"`);
    }
    const definitions: [string, string][] = [];
    for (const text of listOption(call, 'define')) {
      const at = text.indexOf('=');
      if (at < 1) return usageError(call, grok, `--define needs NAME=PATTERN, not "${text}"`);
      definitions.push([text.slice(0, at), text.slice(at + 1)]);
    }
    let compiled: Grok;
    try {
      const patternFiles = await loadPatternFiles(listOption(call, 'patterns-dir'));
      for (const place of definitionsEndingInBlanks(patternFiles)) {
        call.stderr.write(`warning: pattern ${place} ends in blanks, which belong to it.\n`);
      }
      compiled = compileGrok({
        patterns: call.positionals,
        patternDefinitions: Object.fromEntries(definitions),
        patternFiles,
        ecsCompatibility: ecs,
      });
    } catch (error) {
      call.stderr.write(`error: ${messageOf(error)}\n`);
      return exitCode.configuration;
    }
    return await matchLines(compiled, call);
  },
};

async function matchLines(compiled: Grok, call: CommandCall): Promise<number> {
  const out = new TextOutput(call.stdout);
  const explain = call.values['explain'] === true;
  if (explain) call.stderr.write(howPatternsRun(compiled));
  for await (const lines of readLines(call.stdin)) {
    let text = '';
    for (const line of lines) {
      const captures = matchLine(compiled, line);
      if (captures === 'late') {
        call.stderr.write(
          `warning: a line took longer than ${lineTimeoutMs} ms and was given up.\n`,
        );
        text += 'null\n';
      } else if (captures === null && explain) text += explanation(compiled, line);
      else text += `${JSON.stringify(captures)}\n`;
    }
    await out.write(text);
    if (out.isClosed) break;
  }
  await out.finish();
  return exitCode.ok;
}

/** Says of each pattern whether the kernel runs it: that is several times as fast. */
function howPatternsRun(compiled: Grok): string {
  const lines = compiled.patterns.map((pattern, i) => {
    const which = compiled.patterns.length > 1 ? `Pattern ${i + 1}` : 'The pattern';
    const lowered = lowerPattern(pattern);
    if (!('reason' in lowered)) return `${which} runs in the kernel.\n`;
    return `${which} runs as a regular expression, not in the kernel: ${lowered.reason}.\n`;
  });
  return lines.join('');
}

function matchLine(compiled: Grok, line: string): Record<string, unknown> | null | 'late' {
  if (!compiled.needsGuard(line.length)) return grokLine(compiled, line);
  let captures: Record<string, unknown> | null = null;
  const work = {
    count: 1,
    progress: 0,
    step: () => {
      captures = grokLine(compiled, line);
    },
  };
  return runGuarded(work, lineTimeoutMs).timedOut.length > 0 ? 'late' : captures;
}

/** The line with a mark under the place where the best pattern stopped, and what was due there. */
function explanation(compiled: Grok, line: string): string {
  const found = explainGrok(compiled, line);
  const which = compiled.patterns.length > 1 ? ` of pattern ${found.pattern + 1}` : '';
  const matched = found.elements.slice(0, found.matchedElements).join(' ');
  const shown = line.replace(/\p{Cc}/gu, ' ');
  const mark = `${' '.repeat(found.start)}${'~'.repeat(Math.max(0, found.position - found.start))}^`;
  return `${[
    'no match:',
    `  ${shown}`,
    `  ${mark}`,
    found.matchedElements === 0
      ? `  nothing${which} matched; it begins with ${found.expected}`
      : `  matched${which}: ${matched}`,
    ...(found.matchedElements === 0 ? [] : [`  did not match here: ${found.expected}`]),
  ].join('\n')}\n`;
}
