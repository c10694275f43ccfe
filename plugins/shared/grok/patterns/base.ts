import type { PatternSet } from './notation.ts';

const hexGroup = '[0-9A-Fa-f]{1,4}';
const strictOctet = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const embeddedIpv4 = String.raw`${strictOctet}(?:\.${strictOctet}){3}`;
const looseOctet = '(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})';
const hostLabel = '[0-9A-Za-z][0-9A-Za-z-]{0,62}';
const mailAtom = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]";

/** The longest run of leading groups first. The look-ahead refuses at once what has no colon. */
function ipv6(): string {
  const forms: string[] = [];
  for (let leading = 7; leading >= 0; leading--) {
    const head = leading === 0 ? ':' : `(?:${hexGroup}:){${leading}}`;
    const tails: string[] = [];
    if (leading === 7) tails.push(hexGroup);
    else if (leading === 6) tails.push(`:${hexGroup}`, embeddedIpv4);
    else {
      tails.push(`(?::${hexGroup}){1,${7 - leading}}`);
      tails.push(`(?::${hexGroup}){0,${5 - leading}}:${embeddedIpv4}`);
    }
    forms.push(`${head}(?:${tails.join('|')}|:)`);
  }
  return `(?=[0-9A-Fa-f]{0,4}:)(?:${forms.join('|')})(?:%.+)?`;
}

/** A quoted text with backslash escapes, written so that there is one way only to match it. */
function quoted(mark: string): string {
  return String.raw`${mark}[^\\${mark}]*(?:\\.[^\\${mark}]*)*${mark}`;
}

/** `[Ww]arn` and `WARN` of a stem. */
function level(stem: string): string {
  const initial = stem.charAt(0);
  return `[${initial.toUpperCase()}${initial}]${stem.slice(1)}|${stem.toUpperCase()}`;
}

/** Numbers, words, addresses, paths, dates: the patterns that both sets share. */
export const basePatterns: PatternSet = {
  USERNAME: '[a-zA-Z0-9._-]+',
  USER: '%{USERNAME}',
  EMAILLOCALPART: String.raw`${mailAtom}{1,64}(?:\.${mailAtom}{1,62}){0,63}`,
  EMAILADDRESS: '%{EMAILLOCALPART}@%{HOSTNAME}',
  INT: '[+-]?[0-9]+',
  BASE10NUM: String.raw`(?<![0-9.+-])[+-]?(?:[0-9]++(?:\.[0-9]++)?+|\.[0-9]++)`,
  NUMBER: '%{BASE10NUM}',
  BASE16NUM: '(?<![0-9A-Fa-f])[+-]?(?:0x)?[0-9A-Fa-f]+',
  BASE16FLOAT: String.raw`\b(?<![0-9A-Fa-f.])[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+)\b`,

  POSINT: String.raw`\b[1-9][0-9]*\b`,
  NONNEGINT: String.raw`\b[0-9]+\b`,
  WORD: String.raw`\b\w+\b`,
  NOTSPACE: String.raw`\S+`,
  SPACE: String.raw`\s*`,
  DATA: '.*?',
  GREEDYDATA: '.*',
  QUOTEDSTRING: String.raw`(?<!\\)(?:${['"', "'", '`'].map(quoted).join('|')})`,
  QS: '%{QUOTEDSTRING}',
  UUID: '[A-Fa-f0-9]{8}(?:-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}',
  URN: "urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:(?:[0-9A-Za-z()+,.:=@;$_!*'/?#-]|%[0-9a-fA-F]{2})+",

  MAC: '(?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})',
  CISCOMAC: String.raw`[A-Fa-f0-9]{4}(?:\.[A-Fa-f0-9]{4}){2}`,
  WINDOWSMAC: '[A-Fa-f0-9]{2}(?:-[A-Fa-f0-9]{2}){5}',
  COMMONMAC: '[A-Fa-f0-9]{2}(?::[A-Fa-f0-9]{2}){5}',
  IPV6: ipv6(),
  IPV4: String.raw`(?<![0-9])${looseOctet}(?:\.${looseOctet}){3}(?![0-9])`,
  IP: '(?:%{IPV6}|%{IPV4})',
  HOSTNAME: String.raw`\b${hostLabel}(?:\.${hostLabel})*\.?`,
  IPORHOST: '(?:%{IP}|%{HOSTNAME})',
  HOSTPORT: '%{IPORHOST}:%{POSINT}',

  PATH: '(?:%{UNIXPATH}|%{WINPATH})',
  UNIXPATH: '/[[:alnum:]_%!$@:.,+~/-]*',
  TTY: String.raw`/dev/(?:pts|tty[pq]?)\w*/?[0-9]+`,
  WINPATH: String.raw`(?:[A-Za-z]+:|\\)(?:\\[^\\?*]*)+`,
  URIPROTO: '[A-Za-z][A-Za-z0-9+.-]+',
  URIPATH: "/[A-Za-z0-9$.+!*'(){},~:;=@#%&_/-]*",
  URIQUERY: String.raw`[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*`,
  URIPARAM: String.raw`\?%{URIQUERY}`,
  URIPATHPARAM: String.raw`%{URIPATH}(?:\?%{URIQUERY})?`,
  URI: String.raw`%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATH}(?:\?%{URIQUERY})?)?`,

  // English names, with the German ones that differ.
  MONTH: String.raw`\b(?:[Jj]an(?:uary?)?|[Ff]eb(?:ruary?)?|[Mm][aä]?r(?:ch|z)?|[Aa]pr(?:il)?|[Mm]a[yi]?|[Jj]un[ei]?|[Jj]ul[yi]?|[Aa]ug(?:ust)?|[Ss]ep(?:tember)?|[Oo][ck]?t(?:ober)?|[Nn]ov(?:ember)?|[Dd]e[cz](?:ember)?)\b`,
  MONTHNUM: '(?:0?[1-9]|1[0-2])',
  MONTHNUM2: '(?:0[1-9]|1[0-2])',
  MONTHDAY: '(?:0[1-9]|[12][0-9]|3[01]|[1-9])',
  DAY: '(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)',
  YEAR: String.raw`(?:\d\d){1,2}`,
  HOUR: '(?:2[0-3]|[01]?[0-9])',
  MINUTE: '[0-5][0-9]',
  // 60 is a leap second.
  SECOND: '(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?',
  TIME: '%{HOUR}:%{MINUTE}:%{SECOND}(?![0-9])',
  DATE_US: '%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}',
  DATE_EU: '%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}',
  DATE: '(?:%{DATE_US}|%{DATE_EU})',
  DATESTAMP: '%{DATE}[- ]%{TIME}',
  TZ: '(?:[APMCE][SD]T|UTC)',
  ISO8601_TIMEZONE: '(?:Z|[+-]%{HOUR}:?%{MINUTE})',
  ISO8601_SECOND: '%{SECOND}',
  TIMESTAMP_ISO8601:
    '%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?',
  DATESTAMP_RFC822: '%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}',
  DATESTAMP_RFC2822: '%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}',
  DATESTAMP_OTHER: '%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}',
  DATESTAMP_EVENTLOG: '%{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}',

  SYSLOGTIMESTAMP: '%{MONTH} +%{MONTHDAY} %{TIME}',
  // Printable ASCII without the square brackets.
  PROG: String.raw`[\x21-\x5a\x5c\x5e-\x7e]+`,
  SYSLOGHOST: '%{IPORHOST}',
  HTTPDATE: '%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}',
  LOGLEVEL: `(?:${[
    'alert',
    'trace',
    'debug',
    'notice',
    'info?(?:rmation)?',
    'warn?(?:ing)?',
    'err?(?:or)?',
    'crit?(?:ical)?',
    'fatal',
    'severe',
    'emerg(?:ency)?',
  ]
    .map(level)
    .join('|')})`,
};
