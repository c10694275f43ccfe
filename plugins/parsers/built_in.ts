/** A parser that needs no definition under `parsers:`. */
export interface BuiltInParser {
  /** The parser plugin that makes it. */
  readonly format: string;
  /** Its options, as a pipeline file would have them. */
  readonly options: Readonly<Record<string, unknown>>;
}

const quotedText = String.raw`(?:[^"\\]|\\.)*`;
const word = String.raw`(?:[^ "\\]|\\.)+`;
// The last word is the protocol, unless it is the only one: a path may have blanks. Each blank is tried in
// one place only, so that no line takes longer than it is long.
const request = String.raw`"(?<method>[^ "]*)(?: +(?:(?<path>${word}(?: +${word})*?)(?: +(?:${word})?)?)?)?"`;
const client = `"(?<referer>${quotedText})" "(?<agent>${quotedText})"`;
const rest = String.raw`(?<message>(?m:.*))\z`;
/** `%Y-%m-%dT%H:%M:%S.%L%z`, and without the fraction that Docker leaves out when it is zero. */
const timestamp = 'ISO8601';
const accessTime = '%d/%b/%Y:%H:%M:%S %z';

/** Parsers by name, with the fields and times that Fluent Bit's parsers of these names give. The
 *  expressions are anchored to the text, not to a line, so that joined lines stay whole.
 *
 *  `json` takes no time: Fluent Bit's looks for Apache's format in `time`, which few have. */
export const builtInParsers: Readonly<Record<string, BuiltInParser>> = {
  json: { format: 'json', options: {} },
  logfmt: { format: 'logfmt', options: {} },
  ltsv: { format: 'ltsv', options: {} },
  /** Common and combined log format. */
  apache2: {
    format: 'regex',
    options: {
      regex: String.raw`\A(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \[(?<time>[^\]]*)\] ${request} (?<code>[^ ]*) (?<size>[^ ]*)(?: ${client})?\z`,
      time_key: 'time',
      time_format: accessTime,
    },
  },
  /** nginx's `combined`, with or without what `main` adds behind it. */
  nginx: {
    format: 'regex',
    options: {
      regex: String.raw`\A(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \[(?<time>[^\]]*)\] ${request} (?<code>[^ ]*) (?<size>[^ ]*)(?: ${client}(?m:.*))?\z`,
      time_key: 'time',
      time_format: accessTime,
    },
  },
  'syslog-rfc3164': {
    format: 'regex',
    options: {
      regex: String.raw`\A<(?<pri>[0-9]{1,3})>(?<time>[^ ]+ {1,2}[^ ]+ [^ ]+) (?<host>[^ ]+) (?:(?<ident>[a-zA-Z0-9_\/.\-]*)(?:\[(?<pid>[0-9]+)\])?(?:[^a-zA-Z0-9_\/.\-:\n][^:\n]*)?: *)?(?<message>(?:[^ ](?m:.*))?)\z`,
      time_key: 'time',
      time_format: '%b %d %H:%M:%S',
      time_keep: true,
    },
  },
  'syslog-rfc5424': {
    format: 'regex',
    options: {
      regex: String.raw`\A<(?<pri>[0-9]{1,3})>1 (?<time>[^ ]+) (?<host>[^ ]+) (?<ident>[^ ]+) (?<pid>[^ ]+) (?<msgid>[^ ]+) (?<extradata>-|(?:\[(?:[^"\]\\]|\\.|"${quotedText}")*\])+)(?: ${rest}|\z)`,
      time_key: 'time',
      time_format: timestamp,
      time_keep: true,
    },
  },
  /** Docker's json-file driver. */
  docker: {
    format: 'json',
    options: { time_key: 'time', time_format: timestamp, time_keep: true },
  },
  /** The files of container runtimes under Kubernetes. */
  cri: {
    format: 'regex',
    options: {
      regex: String.raw`\A(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]*) ${rest}`,
      time_key: 'time',
      time_format: timestamp,
      time_keep: true,
    },
  },
};
