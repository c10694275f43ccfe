// The only door for plugins, built in or not. Re-exports; nothing else.
export { Batch, type Column, dropReason, heapBatch, isBlank } from '../batch/batch.ts';
export { ByteWriter } from '../batch/byte_writer.ts';
export { type TimeFormat, writeEventTime } from '../batch/event_time.ts';
export { EventView, topLevel } from '../batch/event_view.ts';
export { type Field, fieldOf, tagsField } from '../batch/field.ts';
export {
  elementSpans,
  findMember,
  isJsonObject,
  MemberCursor,
  textOf,
} from '../batch/json_bytes.ts';
export { type AddedMember, JsonEventEncoder } from '../batch/json_encode.ts';
export { spliceJson } from '../batch/json_splice.ts';
export type { RecordHolding } from '../batch/holding.ts';
export { layout } from '../batch/layout.ts';
export {
  type JsonRecordOptions,
  JsonRecordEncoder,
  writeRecordId,
} from '../batch/record_encoder.ts';
export type { Source } from '../batch/source.ts';
export { valueKind } from '../batch/value_kind.ts';
export type { EncodePlace } from '../kernel/encode_options.ts';
export { Chunk, type ChunkSection, type EncodedRun, type RecordOrigin } from '../chunk/chunk.ts';
export type { ErrorCode, ErrorKind } from '../errors/codes.ts';
export { checkDirectory } from '../buffer/directory_check.ts';
export { makeDirectories } from '../buffer/make_directories.ts';
export { assert, messageOf, SluiceError } from '../errors/sluice_error.ts';
export { type Clock, pause, systemClock } from '../time/clock.ts';
export type { Secret } from '../config/secret.ts';
export type { TlsOptions } from '../config/resolved.ts';
export { compileFieldPath } from '../config/field_path.ts';
export {
  compileTemplate,
  renderTemplate,
  type Template,
  type TemplateSource,
} from '../config/template.ts';
export * from './contracts.ts';
export * from './define.ts';
export { importDriver } from './drivers.ts';
export { encodeStop } from '../kernel/encode_options.ts';
export { readDataFile } from '../program/data_file.ts';
export { GrokProgram } from '../kernel/grok_program.ts';
export { JsonScanner, JsonValidator } from '../kernel/json_scan.ts';
export { lowerGrok } from '../kernel/lower_grok.ts';
export { type CriColumns, CriLines } from '../kernel/cri_lines.ts';
export { addLines, type LinesRead } from '../batch/add_lines.ts';
export { addMarked, countMarked, isClear } from '../batch/masks.ts';
export type { Kernel } from '../kernel/kernel.ts';
export { LineEntries } from '../kernel/line_entries.ts';
export { RepeatedDates } from '../kernel/repeated_dates.ts';
export { type Cell, cellForms } from '../kernel/row_cell.ts';
export { type RowColumn, RowFrame } from '../kernel/row_frame.ts';
export { SnappyFragments, snappyFragmentBytes } from '../kernel/snappy_fragment.ts';
export { splitLines } from '../kernel/split_lines.ts';
export { parseByteSize } from '../time/byte_size.ts';
export {
  compileDatePattern,
  compileStrftime,
  formatJoda,
  iso8601BytesMax,
  writeIso8601,
} from '../time/date_formatter.ts';
export { compileDateFormat, type DateMemo, type DateParser } from '../time/date_parser.ts';
export { parseDuration } from '../time/duration.ts';
export { findTimeZone, systemTimeZoneName, timeZone } from '../time/time_zone.ts';
export type { RegexNode } from '../regex/ast.ts';
export { type ByteSieve, byteSieve } from '../regex/byte_sieve.ts';
export { someNode } from '../regex/facts.ts';
export { type GuardedWork, type GuardOutcome, runGuarded } from '../regex/guard.ts';
export { runInTurn } from '../regex/turn.ts';
export { type ParsedRegex, parseRegex, type ReferenceResolver } from '../regex/parser.ts';
export {
  type CompiledRegex,
  compileParsed,
  compileRegex,
  isPlainText,
  type MatchResult,
  type RawMatch,
  RegexBudgetError,
} from '../regex/regex.ts';
