/** What numbers mean. */
export type NumberScale = 'auto' | 'syslog' | 'windows' | 'pino';
/** Words to write levels with. */
export type WordScale = 'six' | 'four' | 'syslog';

/** Names of the levels, from the least severe; a level is its place in this list. */
export const levelNames = [
  'trace',
  'debug',
  'info',
  'notice',
  'warn',
  'error',
  'critical',
  'fatal',
  'alert',
  'emergency',
] as const;

/** OpenTelemetry's severity number of each level. Source: OpenTelemetry, Logs Data Model, appendix B;
 *  critical and above count as FATAL, as the words do. */
export const severityNumbers: readonly number[] = [1, 5, 9, 10, 13, 17, 21, 21, 22, 24];

const spokenWords: Readonly<Record<WordScale, readonly string[]>> = {
  six: words('TRACE DEBUG INFO INFO WARN ERROR FATAL FATAL FATAL FATAL'),
  four: words('INFO INFO INFO INFO WARN ERROR FATAL FATAL FATAL FATAL'),
  syslog: words('DEBUG DEBUG INFO NOTICE WARNING ERR CRIT CRIT ALERT EMERG'),
};

/** The word of a level on a scale. */
export function levelWord(level: number, scale: WordScale): string {
  return spokenWords[scale][level]!;
}

/** The level that a name of `levelNames` is; undefined for `keep` and `remove`. */
export function namedLevel(name: string): number | undefined {
  const level = (levelNames as readonly string[]).indexOf(name);
  return level < 0 ? undefined : level;
}

/** What programs write, by level: log4j, java.util.logging, Python, Go, .NET, PostgreSQL, MySQL, glog, npm,
 *  syslog, and Windows in English and Chinese. */
const spellings: readonly (readonly string[])[] = [
  words('trace trc trce finest finer all t silly 跟踪'),
  words(
    'debug dbg dbug fine config verbose detail debug1 debug2 debug3 debug4 debug5 d v 详细 调试',
  ),
  words('info inf information informational log ok success audit http i 信息'),
  words('notice note n 通知'),
  words('warn warning wrn w 警告'),
  words('error err eror severe fail failure e 错误'),
  words('critical crit c 严重 关键'),
  words('fatal ftl dpanic f 致命'),
  words('alert a'),
  words('emergency emerg panic'),
];

const levelOfWord: ReadonlyMap<string, number> = new Map(
  spellings.flatMap((list, level) => list.map((word) => [word, level] as const)),
);

const textLengthMax = 32;

/** The level that a text means, or -1. Brackets, quotes and colons around a word do not count. */
export function levelOfText(text: string, from: NumberScale): number {
  if (text.length > textLengthMax) return -1;
  const known = levelOfWord.get(text.toLowerCase());
  if (known !== undefined) return known;
  const bare = text.replace(/^[\s[(<"'|]+|[\s\])>"'|:,]+$/g, '').toLowerCase();
  if (/^\d{1,3}(?:\.0+)?$/.test(bare)) return levelOfNumber(Number(bare), from);
  return levelOfWord.get(bare) ?? -1;
}

const syslogLevels = levels('emergency alert critical error warn notice info debug');
/** Windows: 0 is written always and says nothing of severity. */
const windowsLevels = levels('info critical error warn info debug');
const pinoLevels = levels('trace debug info warn error fatal');

/** The level that a number means, or -1. */
export function levelOfNumber(number: number, from: NumberScale): number {
  if (from === 'windows') return windowsLevels[number] ?? -1;
  if (from !== 'pino' && number <= 7) return syslogLevels[number] ?? -1;
  if (from === 'syslog' || number < 10) return -1;
  // Levels of one's own lie between the standard ones.
  return pinoLevels[Math.floor(Math.min(number, 60) / 10) - 1] ?? -1;
}

function words(text: string): readonly string[] {
  return text.split(' ');
}

function levels(text: string): readonly number[] {
  return words(text).map((word) => (levelNames as readonly string[]).indexOf(word));
}
