import { messageOf } from '../errors/sluice_error.ts';
import { type Diagnostic, diagnosticAt } from './diagnostic.ts';
import { conditionExpression, type inputRoutes } from './fluent_bit_routes.ts';
import type { Infer } from './infer.ts';
import { nearest } from './nearest.ts';
import { formatPath, nodeAt } from './node.ts';
import type { PlainComponent } from './resolve_component.ts';
import type { ComponentConfig, Routes } from './resolved.ts';
import { isNamed } from './schema.ts';

/** A component as the file has it, and what became of it. */
export interface ResolvedPair {
  readonly plain: PlainComponent;
  readonly config: ComponentConfig;
}

type Report = (diagnostic: Diagnostic) => void;
type Route = NonNullable<Infer<typeof inputRoutes>['logs']>[number];

/** Turns `routes` of inputs into a condition for each input and output. */
export function resolveRoutes(
  inputs: readonly ResolvedPair[],
  outputs: readonly ResolvedPair[],
  report: Report,
): Routes {
  const byInput = new Map<string, ReadonlyMap<string, string | undefined>>();
  for (const input of inputs) {
    const routes = (input.plain.base['routes'] as Infer<typeof inputRoutes> | undefined)?.logs;
    if (routes === undefined) continue;
    byInput.set(input.config.id, new RoutesOfInput(input.plain, outputs, report).resolve(routes));
  }
  const named = new Set([...byInput.values()].flatMap((routes) => [...routes.keys()]));
  const hasMatch = ({ plain }: ResolvedPair) =>
    plain.base['match'] !== undefined || plain.base['match_regex'] !== undefined;
  const routedOnly = outputs.filter((output) => named.has(output.config.id) && !hasMatch(output));
  return { byInput, routedOnly: new Set(routedOnly.map(({ config }) => config.id)) };
}

class RoutesOfInput {
  readonly #input: PlainComponent;
  readonly #outputs: readonly ResolvedPair[];
  readonly #report: Report;

  constructor(input: PlainComponent, outputs: readonly ResolvedPair[], report: Report) {
    this.#input = input;
    this.#outputs = outputs;
    this.#report = report;
  }

  resolve(routes: readonly Route[]): Map<string, string | undefined> {
    const conditions = routes.map((route, index) => this.#conditionOf(route, index));
    const others = conditions.flatMap((condition) => condition ?? []);
    const isCaught = routes.some(
      ({ condition }, index) => conditions[index] === undefined && condition?.default !== true,
    );
    const byOutput = new Map<string, string | undefined>();
    for (const [index, route] of routes.entries()) {
      let condition = conditions[index];
      if (route.condition?.default === true) condition = elsewhere(others, isCaught);
      for (const [at, name] of route.to.outputs.entries()) {
        const output = this.#outputNamed(name, ['logs', index, 'to', 'outputs', at]);
        if (output === undefined) continue;
        const known = byOutput.get(output);
        const hasAll = byOutput.has(output) && known === undefined;
        const joined = known === undefined ? condition : eitherOf([known, condition]);
        byOutput.set(output, hasAll ? undefined : joined);
      }
    }
    return byOutput;
  }

  #conditionOf({ condition }: Route, index: number): string | undefined {
    if (condition === undefined) return undefined;
    try {
      const written = conditionExpression(condition);
      if (condition.default === true && written !== undefined) {
        throw new Error('The route for all other records has rules.');
      }
      return written;
    } catch (error) {
      this.#fail(['logs', index, 'condition'], messageOf(error));
      return undefined;
    }
  }

  #outputNamed(text: string, path: readonly (string | number)[]): string | undefined {
    const byId = this.#outputs.find(({ config }) => config.id === text);
    if (byId !== undefined) return byId.config.id;
    const [first, ...others] = this.#outputs.filter(({ plain }) => isNamed(plain.plugin, text));
    if (first !== undefined && others.length === 0) return first.config.id;
    const ids = this.#outputs.map(({ config }) => config.id);
    if (first === undefined) {
      const near = nearest(text, ids);
      this.#fail(path, `There is no output "${text}".`, `one of ${ids.join(', ')}`, near);
    } else {
      const expected = 'the alias of one of them';
      this.#fail(path, `${others.length + 1} outputs have the name "${text}".`, expected);
    }
    return undefined;
  }

  #fail(
    path: readonly (string | number)[],
    message: string,
    expected?: string,
    near?: string,
  ): void {
    const { node } = nodeAt(this.#input.node, ['routes', ...path]);
    const place = formatPath([...this.#input.path, 'routes', ...path]);
    this.#report(diagnosticAt(node.position, message, { path: place, expected, nearest: near }));
  }
}

function eitherOf(conditions: readonly (string | undefined)[]): string | undefined {
  if (conditions.includes(undefined)) return undefined;
  return conditions.map((condition) => `(${condition})`).join(' or ');
}

/** What meets none of these; nothing when some route takes everything. */
function elsewhere(others: readonly string[], isCaught: boolean): string | undefined {
  if (isCaught) return 'false';
  return others.length === 0 ? undefined : `not (${eitherOf(others)})`;
}
