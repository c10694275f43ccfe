import {
  type Clock,
  compileStrftime,
  compileTemplate,
  messageOf,
  type OptionProblem,
  type PluginContext,
} from '../../../core/sdk/index.ts';
import {
  isStaticName,
  type NamePiece,
  namePieces,
  staticPrefix,
} from '../../shared/record_name/name_piece.ts';
import type { ElasticsearchOptions } from './config.ts';

/** Bytes of an index name at most (elasticsearch: MetadataCreateIndexService.MAX_INDEX_NAME_BYTES). */
export const indexNameBytesMax = 255;

/** Bytes of a prefix, so that something is left for what varies. */
const prefixBytesMax = 150;

/** What Elasticsearch refuses in an index name; spaces, control characters and halves of characters
 *  included. */
const illegal = /[\\/*?"<>|,#:\s\p{Cc}\p{Cs}]/u;
const illegalAll = new RegExp(illegal.source, 'gu');

/** Makes a text from a record fit to stand inside an index name. */
export function cleanIndexPiece(piece: string): string {
  // Lower-casing comes first: what it makes of a character is then looked at too.
  return piece.toLowerCase().replace(illegalAll, '_');
}

/** What index names need of the plugin's context. */
export type NameContext = Pick<PluginContext, 'field' | 'clock'>;

/** The parts of the index name that the options ask for; without a context, all but the field of
 *  `logstash_prefix_key`. Errors: SLUICE_OPTION_INVALID, SLUICE_DATE_FORMAT_INVALID. */
export function indexPieces(options: ElasticsearchOptions, context?: NameContext): NamePiece[] {
  const pieces = namedPieces(options, context);
  if (!options.current_time_index || context === undefined) return pieces;
  return pieces.map((piece) => (piece.kind === 'date' ? datedNow(piece, context.clock) : piece));
}

function datedNow(piece: Extract<NamePiece, { kind: 'date' }>, clock: Clock): NamePiece {
  const format = (): string => piece.format(Math.floor(clock.nowMs() / 1000), 0);
  return { kind: 'date', format, isOfClock: true };
}

function namedPieces(options: ElasticsearchOptions, context: NameContext | undefined): NamePiece[] {
  if (options.data_stream !== undefined) return namePieces(compileTemplate(options.data_stream));
  if (!options.logstash_format) return namePieces(compileTemplate(options.index), true);
  const separator = options.logstash_prefix_separator;
  const prefix = namePieces(compileTemplate(options.logstash_prefix));
  const key = options.logstash_prefix_key;
  return [
    ...prefix,
    ...(key === undefined || context === undefined
      ? []
      : [prefixPiece(key, context, staticPrefix(prefix), separator)]),
    { kind: 'text', text: separator },
    { kind: 'date', format: compileStrftime(options.logstash_dateformat) },
  ];
}

/** The record's own prefix, kept below the configured one: `app` becomes `logstash-app`, and
 *  `logstash-app` stays. */
function prefixPiece(
  key: string,
  context: NameContext,
  prefix: string,
  separator: string,
): NamePiece {
  const adapt = (value: string): string =>
    value.startsWith(prefix) ? value.slice(prefix.length) : separator + value;
  return { kind: 'field', field: context.field(key), adapt };
}

/** What is wrong with the index name that the options ask for. */
export function checkIndexName(options: ElasticsearchOptions): OptionProblem[] {
  const path = [nameOption(options)];
  let pieces: NamePiece[];
  try {
    pieces = indexPieces(options);
  } catch (error) {
    return [{ path, message: messageOf(error) }];
  }
  const message = nameProblem(pieces);
  return message === undefined ? [] : [{ path, message }];
}

function nameOption(options: ElasticsearchOptions): string {
  if (options.data_stream !== undefined) return 'data_stream';
  return options.logstash_format ? 'logstash_prefix' : 'index';
}

function nameProblem(pieces: readonly NamePiece[]): string | undefined {
  const isFixed = isStaticName(pieces);
  const prefix = staticPrefix(pieces);
  if (prefix === '') {
    return 'The name begins with a reference, so that a record could name any index: put a fixed text before it, such as "logs-".';
  }
  if (/^[-_+]/.test(prefix) || (!isFixed && prefix.startsWith('.')) || /^\.\.?$/.test(prefix)) {
    return `The name begins with ${JSON.stringify(prefix[0])}, which Elasticsearch does not allow or keeps for itself: begin with a letter or a digit.`;
  }
  for (const piece of pieces) {
    if (piece.kind !== 'text') continue;
    if (piece.text !== piece.text.toLowerCase()) return 'The name of an index has no capitals.';
    const found = illegal.exec(piece.text);
    if (found !== null) {
      return `The name has ${JSON.stringify(found[0])}, which no index name may have.`;
    }
  }
  if (Buffer.byteLength(prefix) > (isFixed ? indexNameBytesMax : prefixBytesMax)) {
    return `The name's fixed part is longer than ${isFixed ? indexNameBytesMax : prefixBytesMax} bytes.`;
  }
  return undefined;
}
