import vm from 'node:vm';
import { type EventView, messageOf, SluiceError } from '../../../core/sdk/index.ts';

/** The function of a script. What it returns is judged by the caller. */
export type UserFunction = (event: EventView, tag: string) => unknown;

const loadTimeoutMs = 1000;
const defaultName = '__sluiceDefaultExport';

/** Compiles a script without running it. Errors: SLUICE_OPTION_INVALID. */
export function compileScript(code: string, fileName: string): vm.Script {
  const text = withoutExports(code);
  const expression = tryCompile(`(${text.trim().replace(/;$/, '')}\n)`, fileName);
  if (expression instanceof vm.Script) return expression;
  const statements = tryCompile(text, fileName);
  if (statements instanceof vm.Script) return statements;
  throw new SluiceError(
    'SLUICE_OPTION_INVALID',
    `The script ${fileName} does not compile: ${statements.message}${lineOf(statements, fileName)}.`,
    { cause: statements },
  );
}

/** Runs a script in a context of its own and takes its function: the value of the expression, the
 *  default export, or the function called `name`. The context has JavaScript's own objects and no
 *  others; it separates names, and is no wall against a hostile script.
 *  Errors: SLUICE_OPTION_INVALID. */
export function loadFunction(code: string, fileName: string, name?: string): UserFunction {
  const script = compileScript(code, fileName);
  // Promises of such a context never run on: nothing can come back to an event later.
  const context = vm.createContext(Object.create(null), { microtaskMode: 'afterEvaluate' });
  let value: unknown;
  try {
    value = script.runInContext(context, { timeout: loadTimeoutMs });
    const wanted = name ?? defaultName;
    const named = vm.runInContext(
      `typeof ${wanted} === 'undefined' ? undefined : ${wanted}`,
      context,
    );
    const fallback = vm.runInContext(`typeof filter === 'undefined' ? undefined : filter`, context);
    if (typeof named === 'function') value = named;
    else if (name !== undefined && !isNamed(value, name)) value = undefined;
    else if (typeof value !== 'function') value = fallback;
  } catch (cause) {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `The script ${fileName} failed when it was loaded: ${messageOf(cause)}`,
      { cause },
    );
  }
  return checkedFunction(value, fileName, name);
}

function checkedFunction(value: unknown, fileName: string, name: string | undefined): UserFunction {
  if (typeof value !== 'function') {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `The script ${fileName} has no function ${name ?? 'as its value, default export or named filter'}.`,
    );
  }
  if (
    /^\[object (?:Async|Generator|AsyncGenerator)Function\]$/.test(
      Object.prototype.toString.call(value),
    )
  ) {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `The function of the script ${fileName} is asynchronous or a generator: it must return its answer.`,
    );
  }
  return value as UserFunction; // A function; what it returns is checked at every call.
}

function isNamed(value: unknown, name: string): boolean {
  return typeof value === 'function' && value.name === name;
}

/** A module's exports are what it declares: only one function is taken from it. */
function withoutExports(code: string): string {
  return code
    .replace(/^([ \t]*)export\s+default\s+/m, `$1globalThis.${defaultName} = `)
    .replace(/^([ \t]*)export\s+(?=(?:async\s+)?function\b|const\b|let\b|var\b|class\b)/gm, '$1')
    .replace(/^[ \t]*export\s*\{[^}]*\}\s*;?[ \t]*$/gm, '');
}

function tryCompile(text: string, filename: string): vm.Script | SyntaxError {
  try {
    return new vm.Script(text, { filename });
  } catch (error) {
    return error as SyntaxError; // Compiling throws nothing else.
  }
}

/** The first line of a syntax error's stack says where it is: `name:3`. */
function lineOf(error: SyntaxError, fileName: string): string {
  const first = error.stack?.split('\n', 1)[0] ?? '';
  const line = first.startsWith(`${fileName}:`) ? first.slice(fileName.length + 1) : '';
  return /^\d+$/.test(line) ? ` (line ${line})` : '';
}
