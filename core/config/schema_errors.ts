import type { ErrorObject } from 'ajv';
import type { ErrorCode } from '../errors/codes.ts';
import { type Diagnostic, type DiagnosticDetail, diagnosticAt } from './diagnostic.ts';
import { refusalOf } from './fluent_bit_keys.ts';
import type { JsonSchema, XType } from './json_schema.ts';
import {
  type ConfigNode,
  entryOf,
  formatPath,
  nodeAt,
  positionInText,
  type SourcePosition,
} from './node.ts';
import { nearest } from './nearest.ts';
import type { SpellingProblem } from './spelling_check.ts';

/** Turns ajv's errors over one tree into diagnostics: one for each place and cause. */
export function explainErrors(
  errors: readonly ErrorObject[],
  root: ConfigNode,
  path: readonly (string | number)[],
): readonly Diagnostic[] {
  return chooseErrors(errors).map((error) => explain(error, root, path));
}

/** Keywords that only say that something else failed. */
const summaries = new Set(['if', 'allOf', 'propertyNames']);

/** Drops what repeats: of several errors at one place, the one that knows most is kept. */
function chooseErrors(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const alternatives = errors.filter(({ keyword }) => keyword === 'oneOf' || keyword === 'anyOf');
  const kept = errors.filter(
    (error) =>
      !summaries.has(error.keyword) &&
      !alternatives.some((parent) => isInside(error, parent, errors)),
  );
  const placesOf = (keyword: string) =>
    new Set(kept.filter((error) => error.keyword === keyword).map((error) => error.instancePath));
  const spelled = placesOf('x-type');
  const mistyped = placesOf('type');
  return kept.filter((error) => {
    if (error.keyword === 'x-type') return true;
    if (spelled.has(error.instancePath)) return false;
    return error.keyword === 'type' || !mistyped.has(error.instancePath);
  });
}

/** Whether an error belongs to a branch of a failed alternative that says less by itself. When only one branch
 *  has the type of the value, its errors say more than the alternative does. */
function isInside(error: ErrorObject, parent: ErrorObject, all: readonly ErrorObject[]): boolean {
  const branch = branchOf(error, parent);
  const closest = closestBranch(parent, all);
  if (error === parent) return closest !== undefined;
  return branch !== undefined && branch !== closest;
}

function branchOf(error: ErrorObject, parent: ErrorObject): string | undefined {
  const prefix = `${parent.schemaPath}/`;
  if (error === parent || !error.schemaPath.startsWith(prefix)) return undefined;
  return error.schemaPath.slice(prefix.length).split('/')[0];
}

function closestBranch(parent: ErrorObject, all: readonly ErrorObject[]): string | undefined {
  const mistyped = new Set<string>();
  const branches = new Set<string>();
  for (const error of all) {
    const branch = branchOf(error, parent);
    if (branch === undefined) continue;
    branches.add(branch);
    const wrong = ['type', 'enum', 'const', 'required'].includes(error.keyword);
    if (wrong && error.instancePath === parent.instancePath) mistyped.add(branch);
  }
  const fitting = [...branches].filter((branch) => !mistyped.has(branch));
  return fitting.length === 1 ? fitting[0] : undefined;
}

interface Place {
  readonly node: ConfigNode;
  readonly position: SourcePosition;
  /** The option in words: `"port"`, or `The value` where it has no name. */
  readonly subject: string;
}

function explain(
  error: ErrorObject,
  root: ConfigNode,
  path: readonly (string | number)[],
): Diagnostic {
  const steps = pointerSteps(error.instancePath, root);
  const { node } = nodeAt(root, steps);
  const key = [...steps].reverse().find((step) => typeof step === 'string');
  const place: Place = {
    node,
    position: node.position,
    subject: key === undefined ? 'The value' : `"${key}"`,
  };
  const text = formatPath([...path, ...steps]);
  const found = explainKeyword(error, place);
  return diagnosticAt(found.position ?? place.position, found.message, {
    path: found.member === undefined ? text : formatPath([...path, ...steps, found.member]),
    expected: found.expected,
    nearest: found.nearest,
    ...(found.code === undefined ? {} : { code: found.code }),
  });
}

interface Explanation extends DiagnosticDetail {
  readonly message: string;
  readonly position?: SourcePosition;
  readonly member?: string;
}

function explainKeyword(error: ErrorObject, place: Place): Explanation {
  const { subject } = place;
  const params = error.params as Record<string, unknown>; // ajv gives each keyword its own shape.
  switch (error.keyword) {
    case 'additionalProperties':
      return explainUnknownKey(error, place, String(params['additionalProperty']));
    case 'required': {
      const owner = entryOf(place.node, 'name')?.value;
      const name = owner?.kind === 'scalar' ? ` of "${owner.text}"` : '';
      const missing = String(params['missingProperty']);
      const description = memberDescription(error, missing);
      return {
        message: `The option "${missing}"${name} is missing.`,
        ...(description === undefined ? {} : { expected: `${missing}: ${description}` }),
      };
    }
    case 'type':
      return {
        message: `${subject} ${valueText(place.node)} has the wrong type.`,
        expected: typeText(error.parentSchema as JsonSchema),
      };
    case 'enum':
    case 'const':
      return explainChoice(error, place);
    case 'x-type':
      return explainSpelling(error, place);
    case 'uniqueItems':
      return { message: `${subject} ${String(params['message'])}.`, expected: 'each item once' };
    case 'oneOf':
    case 'anyOf':
      return {
        message: `${subject} ${valueText(place.node)} has none of the accepted forms.`,
        expected: alternativesText(error.parentSchema as JsonSchema),
      };
    default:
      return explainLimit(error, place);
  }
}

function explainUnknownKey(error: ErrorObject, place: Place, key: string): Explanation {
  const schema = error.parentSchema as JsonSchema;
  const properties = Object.entries(schema.properties ?? {});
  // Keys without effect are accepted, not recommended.
  const known = properties
    .filter(([, one]) => one['x-ignored'] === undefined)
    .map(([name]) => name);
  const near = nearest(key, known);
  const position = entryOf(place.node, key)?.keyPosition;
  const instead = refusalOf(key);
  if (instead !== undefined) {
    const message = `The option "${key}" of Fluent Bit is not built. ${instead}`;
    return { message, ...(position === undefined ? {} : { position }), member: key };
  }
  const shown = known.slice(0, knownKeysShown).join(', ');
  const more = known.length > knownKeysShown ? `, … (${known.length} in all)` : '';
  return {
    message: `The option "${key}" is unknown.`,
    ...(position === undefined ? {} : { position }),
    ...(near === undefined ? {} : { nearest: near }),
    ...(known.length === 0 ? {} : { expected: `one of ${shown}${more}` }),
    member: key,
  };
}

const knownKeysShown = 12;
const valueLengthMax = 40;

function explainChoice(error: ErrorObject, place: Place): Explanation {
  const schema = error.parentSchema as JsonSchema;
  const choices = (schema.enum ?? [schema.const]).map(String);
  const text = place.node.kind === 'scalar' ? place.node.text : '';
  const near = nearest(text, choices);
  return {
    message: `${place.subject} ${valueText(place.node)} is none of the choices.`,
    expected: choices.length === 1 ? choices[0] : `one of ${choices.join(', ')}`,
    ...(near === undefined ? {} : { nearest: near }),
  };
}

const spellingCodes: Readonly<Partial<Record<XType, ErrorCode>>> = {
  expression: 'SLUICE_EXPRESSION_INVALID',
  regex: 'SLUICE_REGEX_INVALID',
  date_format: 'SLUICE_DATE_FORMAT_INVALID',
  time_zone: 'SLUICE_DATE_FORMAT_INVALID',
};

function explainSpelling(error: ErrorObject, place: Place): Explanation {
  // Made by the keyword itself.
  const problem = error.params as unknown as SpellingProblem & { readonly type: XType };
  const { node } = place;
  const code = spellingCodes[problem.type];
  const inText = problem.column !== undefined && node.kind === 'scalar';
  const isAmount = problem.column === undefined;
  return {
    message: `${place.subject} ${isAmount ? `${valueText(node)} ` : ''}${problem.message}.`,
    ...(problem.expected === undefined ? {} : { expected: problem.expected }),
    ...(inText ? { position: positionInText(node, problem.column - 1) } : {}),
    ...(code === undefined ? {} : { code }),
  };
}

function explainLimit(error: ErrorObject, place: Place): Explanation {
  const { subject, node } = place;
  const limit = String((error.params as Record<string, unknown>)['limit']);
  switch (error.keyword) {
    case 'minimum':
    case 'exclusiveMinimum':
      return {
        message: `${subject} ${valueText(node)} is too small.`,
        expected: bound(error, limit),
      };
    case 'maximum':
    case 'exclusiveMaximum':
      return {
        message: `${subject} ${valueText(node)} is too large.`,
        expected: bound(error, limit),
      };
    case 'minLength':
      return { message: `${subject} is too short.`, expected: `at least ${limit} characters` };
    case 'maxLength':
      return { message: `${subject} is too long.`, expected: `at most ${limit} characters` };
    case 'minItems':
      return { message: `${subject} has too few entries.`, expected: `at least ${limit}` };
    case 'maxItems':
      return { message: `${subject} has too many entries.`, expected: `at most ${limit}` };
    case 'minProperties':
      return { message: `${subject} has too few options.`, expected: `at least ${limit}` };
    case 'maxProperties':
      return { message: `${subject} has too many options.`, expected: `at most ${limit}` };
    case 'pattern': {
      const schema = error.parentSchema as JsonSchema;
      return {
        message: `${subject} ${valueText(node)} has the wrong form.`,
        expected: schema.description ?? `text that matches ${schema.pattern}`,
      };
    }
    default:
      return { message: `${subject} ${error.message ?? 'is wrong'}.` };
  }
}

function bound(error: ErrorObject, limit: string): string {
  if (error.keyword === 'minimum') return `at least ${limit}`;
  if (error.keyword === 'maximum') return `at most ${limit}`;
  return error.keyword === 'exclusiveMinimum' ? `more than ${limit}` : `less than ${limit}`;
}

function memberDescription(error: ErrorObject, key: string): string | undefined {
  const schema = error.parentSchema as JsonSchema;
  return schema.properties?.[key]?.description;
}

/** A value for a message. What came from a variable may be a secret, and is not repeated. */
function valueText(node: ConfigNode): string {
  if (node.kind === 'map') return '(a map)';
  if (node.kind === 'list') return '(a list)';
  if (node.interpolated === true) return '(from a variable)';
  if (node.value === null) return '(nothing)';
  const text =
    node.text.length > valueLengthMax ? `${node.text.slice(0, valueLengthMax)}…` : node.text;
  return typeof node.value === 'string' ? JSON.stringify(text) : text;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  array: 'a list',
  null: 'nothing',
};

function typeText(schema: JsonSchema): string {
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (schema['x-type'] === 'secret') return 'a text, {file: path} or {env: NAME}';
  return types.map((type) => typeNames[type] ?? type).join(' or ');
}

function alternativesText(schema: JsonSchema): string | undefined {
  const branches = schema.oneOf ?? schema.anyOf ?? [];
  const texts = branches.map((branch) => {
    if (branch.required !== undefined && branch.type === undefined)
      return branch.required.join(' and ');
    if (branch.enum !== undefined) return `one of ${branch.enum.join(', ')}`;
    if (branch.const !== undefined) return String(branch.const);
    return branch.title ?? typeText(branch);
  });
  return texts.some((text) => text === '') ? undefined : texts.join(', or ');
}

/** The steps of a JSON pointer; digits are an index only where the tree has a list. */
function pointerSteps(pointer: string, root: ConfigNode): (string | number)[] {
  const steps: (string | number)[] = [];
  let node: ConfigNode | undefined = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const step: string | number = node?.kind === 'list' ? Number(key) : key;
    steps.push(step);
    node = node?.kind === 'list' ? node.items[Number(step)] : entryOf(node, key)?.value;
  }
  return steps;
}
