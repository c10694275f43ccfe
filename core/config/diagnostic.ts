import type { ErrorCode } from '../errors/codes.ts';
import type { SourcePosition } from './node.ts';
import { maskCredentials } from './secret_mask.ts';

/** One problem of a pipeline file, at its place. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly code: ErrorCode;
  readonly file: string;
  /** 1-based; 0 when the problem is the file as a whole. */
  readonly line: number;
  /** 1-based, in UTF-16 units; 0 when the problem is the file as a whole. */
  readonly column: number;
  /** Where in the pipeline, such as `pipeline.outputs[0].port`; empty for the whole. */
  readonly path: string;
  readonly message: string;
  /** What would have been right, as a noun phrase. */
  readonly expected?: string;
  /** The nearest name that would have been right. */
  readonly nearest?: string;
  /** The lines around the place, secrets masked. */
  readonly frame?: CodeFrame;
}

export interface CodeFrame {
  /** Line number of the first of `lines`. */
  readonly startLine: number;
  readonly lines: readonly string[];
}

export interface DiagnosticDetail {
  readonly path?: string;
  readonly expected?: string | undefined;
  readonly nearest?: string | undefined;
  readonly code?: ErrorCode;
  readonly severity?: 'error' | 'warning';
}

/** Makes a diagnostic; by default an error with SLUICE_CONFIG_INVALID. */
export function diagnosticAt(
  position: SourcePosition,
  message: string,
  detail: DiagnosticDetail = {},
): Diagnostic {
  return {
    severity: detail.severity ?? 'error',
    code: detail.code ?? 'SLUICE_CONFIG_INVALID',
    file: position.file,
    line: position.line,
    column: position.column,
    path: detail.path ?? '',
    message: maskCredentials(message),
    ...(detail.expected === undefined ? {} : { expected: detail.expected }),
    ...(detail.nearest === undefined ? {} : { nearest: detail.nearest }),
  };
}

const contextLines = 2;
const lineWidthMax = 160;

/** Adds the lines around each diagnostic. `sources` has the text of every file read; `secretLines` says, per
 *  file, from which column a line must not be shown. */
export function withFrames(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  secretLines: SecretLines = new Map(),
): readonly Diagnostic[] {
  const linesOf = new Map<string, readonly string[]>();
  const variableLines = new Map<string, ReadonlySet<number>>();
  const variablesOf = (file: string, lines: readonly string[]) => {
    const known = variableLines.get(file) ?? linesOfVariables(lines);
    variableLines.set(file, known);
    return known;
  };
  return diagnostics.map((diagnostic) => {
    const text = sources.get(diagnostic.file);
    if (text === undefined || diagnostic.line === 0) return diagnostic;
    const lines = linesOf.get(diagnostic.file) ?? text.split(/\r?\n/);
    linesOf.set(diagnostic.file, lines);
    const startLine = Math.max(1, diagnostic.line - contextLines);
    const shown = lines.slice(startLine - 1, diagnostic.line + contextLines);
    const secrets = secretLines.get(diagnostic.file);
    const variables = variablesOf(diagnostic.file, lines);
    const masked = shown.map((line, index) => {
      const number = startLine + index;
      return maskLine(variables.has(number) ? maskVariable(line) : line, secrets?.get(number));
    });
    return { ...diagnostic, frame: { startLine, lines: masked } };
  });
}

/** Per file and line: the column from which the text belongs to a secret. */
export type SecretLines = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Names of secrets, mistyped ones too. */
const secretName =
  'pass?w|pwd|passphrase|secret|tok[a-z]{0,2}n|ap[a-z]?_?key|private_?key|credential|auth';
const secretKey = new RegExp(
  `^(\\s*(?:-\\s+)?[\\w."'-]*(?:${secretName})[\\w."'-]*\\s*:\\s*)\\S.*$`,
  'i',
);
const secretInFlow = new RegExp(
  `((?:${secretName})[\\w."'-]*\\s*:\\s*)("[^"]*"|'[^']*'|[^\\s,}\\]]+)`,
  'gi',
);
/** An item of a list of headers, `Name value`. */
const secretItem = new RegExp(
  `^(\\s*-\\s+["']?[\\w-]*(?:${secretName}|cookie|key)[\\w-]*\\s+)\\S.*$`,
  'i',
);

/** Lines of the section `env:`, counted from 1. What its variables hold may be a secret whatever
 *  their names, and is hidden even where the file is no YAML. */
function linesOfVariables(lines: readonly string[]): ReadonlySet<number> {
  const found = new Set<number>();
  let isInside = false;
  for (const [index, line] of lines.entries()) {
    if (/^["']?env["']?\s*:/i.test(line)) isInside = true;
    else if (/^[^\s#}\]-]/.test(line)) isInside = false;
    if (isInside) found.add(index + 1);
  }
  return found;
}

function maskVariable(line: string): string {
  const key = /^\s*(?:-\s+)?[\w."'-]+\s*:(?=\s|$)/.exec(line)?.[0];
  const indent = /^\s*/.exec(line)![0];
  if (line.trim() === '') return line;
  if (key === undefined) return `${indent}***`;
  return key.length === line.trimEnd().length ? line : `${key} ***`;
}

/** A header as `Name value`, in a text. */
const secretHeader =
  /\b((?:proxy-)?authorization|cookie|x-[\w-]*(?:key|token)|api-?key)\s+[^'"\],]+/gi;

function maskLine(line: string, secretColumn: number | undefined): string {
  let shown = line;
  if (secretColumn !== undefined) shown = `${line.slice(0, secretColumn - 1)}***`;
  // Before the schema is known, when YAML itself is broken, the key's name is all there is to go by.
  for (const pattern of [secretKey, secretInFlow, secretItem]) {
    shown = shown.replace(pattern, '$1***');
  }
  shown = maskCredentials(shown).replace(secretHeader, '$1 ***');
  return shown.length > lineWidthMax ? `${shown.slice(0, lineWidthMax)}…` : shown;
}

/** Writes a diagnostic for a person: `file:line:column: error: message`, the lines around it with a caret,
 *  what was expected, and the nearest name. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const place =
    diagnostic.line === 0
      ? diagnostic.file
      : `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}`;
  const lines = [`${place}: ${diagnostic.severity}: ${diagnostic.message}`];
  if (diagnostic.frame !== undefined) lines.push(...frameLines(diagnostic, diagnostic.frame));
  if (diagnostic.expected !== undefined) lines.push(`  expected ${diagnostic.expected}`);
  if (diagnostic.nearest !== undefined) lines.push(`  did you mean "${diagnostic.nearest}"?`);
  return lines.join('\n');
}

function frameLines(diagnostic: Diagnostic, frame: CodeFrame): string[] {
  const width = String(frame.startLine + frame.lines.length - 1).length;
  const lines: string[] = [];
  for (const [index, text] of frame.lines.entries()) {
    const number = frame.startLine + index;
    const here = number === diagnostic.line;
    lines.push(`${here ? '>' : ' '} ${String(number).padStart(width)} | ${text}`.trimEnd());
    if (!here) continue;
    // Tabs stay tabs, so that the caret stands under its column.
    const before = text.slice(0, diagnostic.column - 1).replace(/[^\t]/g, ' ');
    const indent = before.padEnd(Math.min(diagnostic.column - 1, lineWidthMax), ' ');
    lines.push(`  ${' '.repeat(width)} | ${indent}^`);
  }
  return lines;
}

/** A diagnostic as plain JSON, for editors and scripts; without the code frame. */
export function diagnosticToJson(diagnostic: Diagnostic): Record<string, unknown> {
  const { frame: _frame, ...rest } = diagnostic;
  return rest;
}

/** Orders by file (as first seen), line and column, and drops exact repetitions. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const files = new Map<string, number>();
  const distinct = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    if (!files.has(diagnostic.file)) files.set(diagnostic.file, files.size);
    const { file, line, column, message } = diagnostic;
    const key = JSON.stringify([file, line, column, message]);
    if (!distinct.has(key)) distinct.set(key, diagnostic);
  }
  return [...distinct.values()].sort(
    (a, b) => files.get(a.file)! - files.get(b.file)! || a.line - b.line || a.column - b.column,
  );
}
