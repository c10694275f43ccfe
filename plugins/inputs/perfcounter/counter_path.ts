/** A path such as `\Process(chrome*)\Working Set`. */
export interface CounterPath {
  readonly text: string;
  /** What is asked of Windows: with `*` where the instance has any wildcard. */
  readonly query: string;
  readonly object: string;
  /** As it is written, with wildcards; undefined where there is none. */
  readonly instance: string | undefined;
  readonly counter: string;
}

const pattern = /^(\\\\[^\\]+)?\\([^\\()]+?)(?:\((.+)\))?\\([^\\]+)$/;

/** Reads a path; a text is what is wrong with it. Source: "Specifying a Counter Path" of PDH. */
export function parseCounterPath(text: string): CounterPath | string {
  const [, machine = '', object, instance, counter] = pattern.exec(text.trim()) ?? [];
  if (object === undefined || counter === undefined) {
    return `${text} is no path of a counter: write \\Object(Instance)\\Counter, such as \\Processor(*)\\% Processor Time.`;
  }
  if (/[*?]/.test(object) || /[*]/.test(counter)) {
    return `${text}: only the instance can have wildcards; name the counters one by one.`;
  }
  const asked = instance !== undefined && /[*?]/.test(instance) ? '*' : instance;
  const inner = asked === undefined ? '' : `(${asked})`;
  const query = `${machine}\\${object}${inner}\\${counter}`;
  return {
    text,
    query,
    object: machine === '' ? object : `${machine}\\${object}`,
    instance,
    counter,
  };
}

/** Tells which instances a path takes; `*` and `?` are wildcards, letter case does not matter. */
export function instanceTest(instance: string | undefined): (name: string) => boolean {
  if (instance === undefined || !/[*?]/.test(instance)) return () => true;
  const source = instance
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const test = new RegExp(`^${source}$`, 'is');
  return (name) => test.test(name);
}

/** The name of the metric of a counter: `\Processor(*)\% Processor Time` is
 *  `windows_processor_percent_processor_time`. */
export function metricName({ object, counter }: CounterPath): string {
  const words = `${object.replace(/^\\\\[^\\]+\\?/, '')} ${counter}`
    .replaceAll(/\/sec\b/gi, ' per second ')
    .replaceAll(/^%|\s%/g, ' percent ')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '');
  return `windows_${words.toLowerCase()}`;
}
