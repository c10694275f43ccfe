/** Names of the facilities by number. Source: RFC 5424 section 6.2.1, table 1. */
const facilityNames = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'audit',
  'alert',
  'clock',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;

/** Names of the severities by number. Source: RFC 5424 section 6.2.1, table 2. */
const severityNames = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

const priorityMax = 191;

/** What the number at the start of a message says. */
export class Priority {
  value = 0;
  facility = 0;
  facilityName = '';
  severity = 0;
  severityName = '';

  /** Reads `<34>` and gives the position behind it; -1 when there is none at the start, or the
   *  number is past 191. */
  read(text: string): number {
    if (text.charCodeAt(0) !== 0x3c) return -1;
    let value = 0;
    let at = 1;
    for (; at < 5; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    if (at === 1 || value > priorityMax || text.charCodeAt(at) !== 0x3e) return -1;
    this.value = value;
    this.facility = value >> 3;
    this.facilityName = facilityNames[this.facility]!;
    this.severity = value & 7;
    this.severityName = severityNames[this.severity]!;
    return at + 1;
  }
}
