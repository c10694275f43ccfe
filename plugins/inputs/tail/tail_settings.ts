import {
  type CompiledRegex,
  compileRegex,
  type Field,
  fieldOf,
  type InputContext,
  type OptionProblem,
  type Parser,
  SluiceError,
} from '../../../core/sdk/index.ts';
import {
  containerRules,
  firstLineRules,
  type MultilineRules,
  namedRules,
} from '../../shared/multiline/index.ts';
import { type TextEncoding, textEncoding } from '../../shared/text_encoding/text_encoding.ts';
import type { TailOptions } from './config.ts';

/** The options as the work needs them. Times in ms, sizes in bytes. */
export interface TailSettings {
  readonly patterns: readonly string[];
  readonly excludes: readonly string[];
  readonly key: Field;
  readonly pathKey: Field | undefined;
  readonly offsetKey: Field | undefined;
  readonly parser: Parser | undefined;
  readonly multiline: readonly MultilineRules[];
  readonly multilineBytesMax: number;
  /** Undefined: by the byte order mark, else UTF-8. */
  readonly encoding: TextEncoding | undefined;
  readonly lineBytesMax: number;
  readonly longLines: 'split' | 'truncate' | 'skip';
  readonly skipEmptyLines: boolean;
  readonly readFromHead: boolean;
  readonly readNewFromHead: boolean;
  readonly refreshMs: number;
  readonly rotateWaitMs: number;
  readonly ignoreOlderMs: number;
  readonly ignoreActiveOlder: boolean;
  readonly unfinishedLineMs: number;
  readonly exitOnEof: boolean;
  readonly openFilesMax: number;
  readonly tag: string;
  readonly tagRegex: CompiledRegex | undefined;
}

/** Resolves options. Errors: SLUICE_OPTION_INVALID, SLUICE_REGEX_INVALID. */
export function tailSettings(options: TailOptions, context: InputContext): TailSettings {
  const firstProblem = checkTailOptions(options)[0];
  if (firstProblem !== undefined) {
    throw new SluiceError('SLUICE_OPTION_INVALID', firstProblem.message);
  }
  const fieldFor = (key: string | undefined) => (key === undefined ? undefined : fieldOf([key]));
  return {
    patterns: rejoinBraces(options.path),
    excludes: rejoinBraces(options.exclude_path ?? []),
    key: fieldOf([options.key]),
    pathKey: fieldFor(options.path_key),
    offsetKey: fieldFor(options.offset_key),
    parser: options.parser === undefined ? undefined : context.parser(options.parser),
    multiline: multilineRules(options, context),
    multilineBytesMax: options.multiline_buffer_limit,
    encoding: encodingOf(options),
    lineBytesMax: options.buffer_max_size ?? context.service.eventBytesMax,
    longLines: longLinesOf(options),
    skipEmptyLines: options.skip_empty_lines,
    readFromHead: options.read_from_head,
    readNewFromHead: options.read_newly_discovered_files_from_head,
    refreshMs: options.refresh_interval,
    rotateWaitMs: options.rotate_wait,
    ignoreOlderMs: options.ignore_older,
    ignoreActiveOlder: options.ignore_active_older_files,
    unfinishedLineMs: options.unfinished_line_timeout,
    exitOnEof: options.exit_on_eof,
    openFilesMax: options.open_files_max,
    tag: context.tag,
    tagRegex: options.tag_regex === undefined ? undefined : compileRegex(options.tag_regex),
  };
}

/** What the schema cannot say. */
export function checkTailOptions(options: TailOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const report = (key: string, message: string) => problems.push({ path: [key], message });
  const ways = ['multiline.parser', 'multiline', 'docker_mode'] as const;
  const chosen = ways.filter((way) => {
    const value = options[way];
    return typeof value === 'boolean' ? value : value !== undefined && value.length > 0;
  });
  if (chosen.length > 1) {
    report(chosen[1]!, `${chosen[0]} and ${chosen[1]} exclude each other: keep one of them.`);
  }
  if (options.multiline && options.parser_firstline === undefined) {
    report('multiline', 'multiline needs parser_firstline, or use multiline.parser instead.');
  }
  if (options['unicode.encoding'] !== undefined && options['generic.encoding'] !== undefined) {
    report('generic.encoding', 'unicode.encoding and generic.encoding exclude each other.');
  }
  if (chosen.length > 0 && options.parser !== undefined) {
    report('parser', `parser does not work with ${chosen[0]}: use the parser filter instead.`);
  }
  for (const key of ['unicode.encoding', 'generic.encoding'] as const) {
    const name = options[key];
    if (name === undefined || (key === 'unicode.encoding' && name.toLowerCase() === 'auto'))
      continue;
    if (textEncoding(name) === undefined) {
      report(
        key,
        `The encoding "${name}" is not known: use for instance UTF-16LE, GBK or Win1252.`,
      );
    }
  }
  return problems;
}

/** A comma inside braces is no separator of the list: puts such pieces together again. */
export function rejoinBraces(pieces: readonly string[]): string[] {
  const patterns: string[] = [];
  let open = '';
  for (const piece of pieces) {
    const joined = open === '' ? piece : `${open},${piece}`;
    const depth = joined.split('{').length - joined.split('}').length;
    if (depth > 0) open = joined;
    else {
      patterns.push(joined);
      open = '';
    }
  }
  if (open !== '') patterns.push(...open.split(','));
  return patterns;
}

function encodingOf(options: TailOptions): TextEncoding | undefined {
  const name = options['generic.encoding'] ?? options['unicode.encoding'];
  return name === undefined || name.toLowerCase() === 'auto' ? undefined : textEncoding(name);
}

function longLinesOf(options: TailOptions): 'split' | 'truncate' | 'skip' {
  if (options.long_lines !== undefined) return options.long_lines;
  if (options.truncate_long_lines) return 'truncate';
  return options.skip_long_lines ? 'skip' : 'split';
}

function multilineRules(options: TailOptions, context: InputContext): MultilineRules[] {
  if (options.docker_mode) return [containerRules('docker', options.docker_mode_flush)];
  if (options.multiline && options.parser_firstline !== undefined) {
    return [firstLineRules(context.parser(options.parser_firstline), options.multiline_flush)];
  }
  return (options['multiline.parser'] ?? []).map((name) => namedRules(name, context));
}
