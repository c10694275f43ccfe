/** The parameters of an element: a list where a name comes again, as `ip` does in RFC 5424. */
type Parameters = Record<string, string | string[]>;

/** STRUCTURED-DATA as an object of objects, and where it ends. */
export interface StructuredData {
  readonly elements: Readonly<Record<string, Readonly<Parameters>>> | undefined;
  readonly end: number;
}

/** A name of an element or parameter: 1 to 32 visible characters but `=`, `]` and `"`; longer ones are in use. */
const namePattern = /[^\s=\]"]{1,256}/y;

/** Reads STRUCTURED-DATA at `at`: `-`, or elements such as `[id name="value"]`. Undefined when it
 *  is not well formed. Source: RFC 5424 section 6.3. */
export function readStructuredData(text: string, at: number): StructuredData | undefined {
  if (text[at] === '-') return { elements: undefined, end: at + 1 };
  if (text[at] !== '[') return undefined;
  const elements = emptyObject<Parameters>();
  while (text[at] === '[') {
    const id = nameAt(text, at + 1);
    if (id === undefined) return undefined;
    const parameters = elements[id] ?? emptyObject<string | string[]>();
    elements[id] = parameters;
    at = readParameters(text, at + 1 + id.length, parameters);
    if (at < 0) return undefined;
  }
  return { elements, end: at };
}

/** Reads parameters up to the closing bracket; gives the position behind it, or -1. */
function readParameters(text: string, at: number, into: Parameters): number {
  while (text[at] !== ']') {
    if (text[at] !== ' ') return -1;
    while (text[at] === ' ') at++;
    if (text[at] === ']') break;
    const name = nameAt(text, at);
    if (name === undefined) return -1;
    at += name.length;
    if (text[at] !== '=' || text[at + 1] !== '"') return -1;
    const start = at + 2;
    at = start;
    while (text[at] !== '"') {
      if (at >= text.length) return -1;
      at += text[at] === '\\' ? 2 : 1;
    }
    const value = text.slice(start, at);
    addParameter(into, name, value.includes('\\') ? value.replace(/\\(["\\\]])/g, '$1') : value);
    at++;
  }
  return at + 1;
}

/** RFC 5424, section 6.3.3: a name may come more than once within an element. */
function addParameter(into: Parameters, name: string, value: string): void {
  const known = into[name];
  if (known === undefined) into[name] = value;
  else if (Array.isArray(known)) known.push(value);
  else into[name] = [known, value];
}

function nameAt(text: string, at: number): string | undefined {
  namePattern.lastIndex = at;
  return namePattern.exec(text)?.[0];
}

/** Without a prototype, so that `__proto__` is a name like others. */
function emptyObject<Value>(): Record<string, Value> {
  return Object.create(null) as Record<string, Value>;
}
