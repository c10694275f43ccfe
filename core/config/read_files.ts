import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import picomatch from 'picomatch';
import { messageOf } from '../errors/sluice_error.ts';
import { type Diagnostic, diagnosticAt } from './diagnostic.ts';
import { documentLimits, parseDocument } from './document.ts';
import { buildEnvironment, interpolateText } from './interpolate.ts';
import { type ConfigNode, entryIgnoringCase, positionInText, type ScalarNode } from './node.ts';

/** The files that loading may touch. Real ones by default; tests give their own. */
export interface ConfigFiles {
  /** Reads a text file; throws when it cannot. */
  readonly readFile: (path: string) => string;
  /** Names in a directory, directories with `/` at the end; throws when it cannot. */
  readonly listDirectory: (path: string) => readonly string[];
  /** Permission bits; undefined when they are not known. */
  readonly fileMode: (path: string) => number | undefined;
}

/** The file system itself. */
export function realFiles(): ConfigFiles {
  return {
    readFile: readBounded,
    listDirectory: (path) =>
      readdirSync(path, { withFileTypes: true }).map((entry) =>
        entry.isDirectory() ? `${entry.name}/` : entry.name,
      ),
    fileMode(path) {
      // Windows' are made up: a list of its own says who may read a file.
      if (process.platform === 'win32') return undefined;
      try {
        return statSync(path).mode & 0o777;
      } catch {
        return undefined;
      }
    },
  };
}

/** Reads a text file up to just past the limit, so that a device or a huge file ends too. */
function readBounded(path: string): string {
  const file = openSync(path, 'r');
  try {
    const parts: Buffer[] = [];
    let bytes = 0;
    while (bytes <= documentLimits.bytesMax) {
      const part = Buffer.alloc(64 * 1024);
      const count = readSync(file, part, 0, part.length, null);
      if (count === 0) break;
      parts.push(part.subarray(0, count));
      bytes += count;
    }
    return Buffer.concat(parts).toString('utf8');
  } finally {
    closeSync(file);
  }
}

export interface ReadOptions {
  /** As given on the command line: relative to `cwd`. */
  readonly files: readonly string[];
  readonly cwd: string;
  readonly access: ConfigFiles;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
}

export interface ReadFile {
  /** Name in messages: relative to `cwd` where it is below it. */
  readonly name: string;
  readonly absolute: string;
  readonly root: ConfigNode | undefined;
}

export interface ReadResult {
  /** Every file once, included ones before the file that includes them. */
  readonly files: readonly ReadFile[];
  /** Text of each file, by name. */
  readonly sources: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
  /** True when some file has broken syntax: nothing sensible can be said about the rest. */
  readonly isBroken: boolean;
}

const filesMax = 1000;
const directoriesMax = 10_000;

/** Reads the files given and all that they include. A file named twice is read once; a circle is an error. */
export function readConfigFiles(options: ReadOptions): ReadResult {
  const walk = new IncludeWalk(options);
  for (const file of options.files) walk.visit(resolve(options.cwd, file), undefined);
  return walk;
}

class IncludeWalk implements ReadResult {
  readonly files: ReadFile[] = [];
  readonly sources = new Map<string, string>();
  readonly diagnostics: Diagnostic[] = [];
  isBroken = false;
  readonly #options: ReadOptions;
  readonly #seen = new Set<string>();
  readonly #stack: string[] = [];

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  visit(absolute: string, includedBy: ScalarNode | undefined): void {
    const name = this.#nameOf(absolute);
    if (this.#stack.includes(absolute)) {
      const circle = [...this.#stack.slice(this.#stack.indexOf(absolute)), absolute];
      const text = circle.map((path) => this.#nameOf(path)).join(' -> ');
      this.#failAt(includedBy, name, `The includes go in a circle: ${text}.`);
      return;
    }
    if (this.#seen.has(absolute)) return;
    if (this.#seen.size >= filesMax) {
      this.#failAt(includedBy, name, `More than ${filesMax} files are included.`);
      return;
    }
    this.#seen.add(absolute);
    const text = this.#read(absolute, name, includedBy);
    if (text === undefined) return;
    this.sources.set(name, text.startsWith('\uFEFF') ? text.slice(1) : text);
    const { root, diagnostics, isBroken } = parseDocument(text, name);
    this.diagnostics.push(...diagnostics);
    if (isBroken === true) this.isBroken = true;
    this.#stack.push(absolute);
    this.#include(root, absolute);
    this.#stack.pop();
    this.files.push({ name, absolute, root });
  }

  #include(root: ConfigNode | undefined, absolute: string): void {
    const service = entryIgnoringCase(root, 'service')?.value;
    const named = [
      entryIgnoringCase(root, 'includes')?.value,
      entryIgnoringCase(service, 'parsers_file')?.value,
    ];
    const items = named.flatMap((node) => {
      if (node === undefined) return [];
      return node.kind === 'list' ? [...node.items] : [node];
    });
    const paths = items.filter((item) => item.kind === 'scalar' && item.value !== null);
    if (paths.length === 0) return;
    const section = entryIgnoringCase(root, 'env')?.value;
    const sources = {
      process: this.#options.environment,
      hostname: this.#options.hostname,
      readFile: this.#options.access.readFile,
    };
    // Problems of the section itself are reported when all sections are read together.
    const { lookup } = buildEnvironment(section === undefined ? [] : [section], sources, () => {});
    for (const path of paths as ScalarNode[]) {
      const { value, problems } = interpolateText(path.text, lookup);
      for (const { offset, message, expected } of problems) {
        const place = { path: 'includes', expected };
        this.diagnostics.push(diagnosticAt(positionInText(path, offset), message, place));
      }
      if (problems.length > 0) continue;
      const target = resolve(dirname(absolute), value);
      if (!picomatch.scan(value).isGlob) this.visit(target, path);
      else for (const file of this.#expand(target, path)) this.visit(file, path);
    }
  }

  /** Files that a glob names, in order of their names. None at all is no error: `conf.d` may be empty. */
  #expand(glob: string, node: ScalarNode): readonly string[] {
    const pattern = glob.split(sep).join('/');
    const { base } = picomatch.scan(pattern);
    const isMatch = picomatch(pattern);
    const matches: string[] = [];
    const open = [base];
    for (let count = 0; open.length > 0; count += 1) {
      const directory = open.pop()!;
      if (count >= directoriesMax) {
        this.#failAt(node, '', `The include searches more than ${directoriesMax} directories.`);
        break;
      }
      for (const entry of this.#list(directory)) {
        const path = join(directory, entry);
        if (!entry.endsWith('/')) {
          if (isMatch(path.split(sep).join('/'))) matches.push(path);
        } else if (pattern.includes('**') || pattern.slice(base.length + 1).includes('/')) {
          open.push(path.slice(0, -1));
        }
      }
    }
    return matches.sort();
  }

  #list(directory: string): readonly string[] {
    try {
      return this.#options.access.listDirectory(directory);
    } catch {
      return [];
    }
  }

  #read(absolute: string, name: string, node: ScalarNode | undefined): string | undefined {
    try {
      return this.#options.access.readFile(absolute);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const reason = code === 'ENOENT' ? 'there is no such file' : messageOf(error);
      this.#failAt(node, name, `The file ${name} cannot be read: ${reason}.`);
      return undefined;
    }
  }

  #failAt(node: ScalarNode | undefined, file: string, message: string): void {
    const position = node?.position ?? { file, line: 0, column: 0 };
    const code = message.includes('cannot be read')
      ? 'SLUICE_CONFIG_UNREADABLE'
      : 'SLUICE_CONFIG_INVALID';
    this.diagnostics.push(diagnosticAt(position, message, { code, path: node ? 'includes' : '' }));
  }

  #nameOf(absolute: string): string {
    const name = relative(this.#options.cwd, absolute);
    return name === '' || name.startsWith('..') || isAbsolute(name) ? absolute : name;
  }
}

/** Whether a `plugins:` entry is a path, and not the name of a package. */
export function isModulePath(text: string): boolean {
  return isAbsolute(text) || text.startsWith('.') || /\.[cm]?[jt]s$/.test(basename(text));
}
