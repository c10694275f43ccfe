// What inputs and filters use of multiline. Re-exports; nothing else.
export { AssembledRecord, type RecordReceiver } from './assembled_record.ts';
export {
  type AssemblerLimits,
  type LineAt,
  MultilineAssembler,
  recordsPerLineMax,
} from './assembler.ts';
export { builtInDefinition, builtInFlushMs, builtInMultilineNames } from './built_in.ts';
export { LineTime } from './container_line.ts';
export {
  type CompilePattern,
  compileMultiline,
  containerRules,
  firstLineRules,
  type MultilineRules,
} from './definition.ts';
export { HeldBytes } from './assembled_record.ts';
export { namedRules } from './named_rules.ts';
export type { LinePattern } from './watched_pattern.ts';
