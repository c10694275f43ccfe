import { Secret } from './secret.ts';

const shown = '***';
/** Shorter texts stand in too many words to be told apart from them. */
const charactersMin = 4;
/** Texts kept; the one learned first makes room. */
const textsMax = 4096;
const depthMax = 32;
/** Characters of a secret by which its beginning is known, and with which it ends. */
const cutMin = 6;
const cutMax = 128;

const userInfo = /:\/\/[^\s/?#"'\\<>]{1,512}@/g;
const inQuery =
  /([?&][\w.-]*(?:token|key|secret|passw|signature|credential)[\w.-]*=)[^&\s"'\\#]+/gi;
const schemes = /\b(Bearer|Basic|ApiKey)(\s+)[A-Za-z0-9+/=._~-]{16,}/gi;
const secretHeader = /^([\w-]*(?:auth|cookie|token|secret|passw|key|credential)[\w-]*):?\s+(.+)$/i;
const userName = /(?:^|[._])user(?:name)?$/i;

/** Hides the credentials in a text that look like some whoever they belong to: user and password of
 *  a URL, a token in its query, and what follows `Bearer`, `Basic` and `ApiKey`. */
export function maskCredentials(text: string): string {
  return text
    .replace(userInfo, `://${shown}@`)
    .replace(inQuery, `$1${shown}`)
    .replace(schemes, `$1$2${shown}`);
}

/** Hides the secrets of a configuration wherever they stand in a text. A `Secret` cannot be printed
 *  by accident, but others can repeat what they were sent: a server that puts a request's headers
 *  into its answer, a library that names a URL in its error. */
export class SecretMask {
  private readonly texts = new Set<string>();
  private pattern: RegExp | undefined;

  /** Takes in the secrets of a configuration, or of a part of one; those learned before stay. */
  learn(config: unknown): void {
    this.visit(config, 0);
    this.pattern = undefined;
  }

  /** The text without the secrets that were learned and without credentials of any kind. */
  text(text: string): string {
    this.pattern ??= this.compile();
    return maskCredentials(text.replace(this.pattern, shown));
  }

  private visit(value: unknown, depth: number): void {
    if (typeof value === 'string') {
      this.addAddress(value);
      return;
    }
    if (typeof value !== 'object' || value === null || depth > depthMax) return;
    if (value instanceof Secret) {
      this.add(value.reveal());
      return;
    }
    const members = Object.entries(value);
    for (const [key, member] of members) {
      if (/header/i.test(key) && Array.isArray(member)) {
        for (const line of member) this.addHeader(line);
      }
      this.visit(member, depth + 1);
    }
    this.addPairs(members);
  }

  /** As basic authentication writes a user and a password. */
  private addPairs(members: readonly (readonly [string, unknown])[]): void {
    const users = members.filter(([key]) => userName.test(key)).map(([, user]) => user);
    for (const [, secret] of members) {
      if (!(secret instanceof Secret)) continue;
      for (const user of users) this.add(base64(`${String(user)}:${secret.reveal()}`));
    }
  }

  private addAddress(text: string): void {
    if (!text.includes('://') || !text.includes('@') || !URL.canParse(text)) return;
    const { username, password } = new URL(text);
    if (username === '') return;
    const pair = [username, password].map(decoded);
    this.add(base64(pair.join(':')));
    for (const secret of [password, pair[1]!]) this.add(secret);
  }

  private addHeader(line: unknown): void {
    const value = typeof line === 'string' ? secretHeader.exec(line)?.[2] : undefined;
    if (value === undefined) return;
    this.add(value);
    // `Bearer TOKEN`: the token alone is one, too.
    this.add(value.split(/\s+/).at(-1)!);
  }

  private add(text: string): void {
    const whole = text.trim();
    if (whole.length < charactersMin) return;
    // In a line of the log, and in a body, it may stand as JSON writes it.
    const forms = [JSON.stringify(whole).slice(1, -1), encodeURIComponent(whole), base64(whole)];
    for (const form of [whole, ...forms]) {
      if (this.texts.size >= textsMax) this.texts.delete(this.texts.values().next().value!);
      this.texts.add(form);
    }
  }

  private compile(): RegExp {
    if (this.texts.size === 0) return /(?!)/g;
    // Of two that begin alike the longer one is looked for first. Within a longer word it is not
    // the secret: that `pass` is a password must not hide half of `passed`.
    const longestFirst = [...this.texts].sort((a, b) => b.length - a.length);
    const whole = longestFirst.map(escaped).join('|');
    const cut = longestFirst.filter((one) => one.length > cutMin).map(beginningOf);
    const end = '(?=…|$)';
    const beginnings = cut.length === 0 ? '' : `|(?:${cut.join('|')})${end}`;
    return new RegExp(`(?<![\\p{L}\\p{N}])(?:(?:${whole})(?![\\p{L}\\p{N}])${beginnings})`, 'gu');
  }
}

/** At least so much of a secret's beginning is hidden where a text was cut. */
function beginningOf(secret: string): string {
  const rest = [...secret.slice(cutMin, cutMax)];
  return (
    escaped(secret.slice(0, cutMin)) +
    rest.reduceRight((after, one) => `(?:${escaped(one)}${after})?`, '')
  );
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
