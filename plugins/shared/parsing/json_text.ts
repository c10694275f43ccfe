/** A value that is kept as the JSON text it came as: numbers past 2^53 and nested values stay exact. */
export class JsonText {
  readonly json: string;

  /** `json` is valid JSON text. */
  constructor(json: string) {
    this.json = json;
  }

  /** For those who only know `JSON.stringify`. */
  toJSON(): unknown {
    return JSON.parse(this.json);
  }
}

/** A value as JSON text, or undefined for what JSON cannot say. */
export function jsonOf(value: unknown): string | undefined {
  return value instanceof JsonText ? value.json : JSON.stringify(value);
}

/** Reads one JSON token into a plain value where nothing is lost by it, else into a JsonText. */
export function valueOfToken(token: string): unknown {
  switch (token.charCodeAt(0)) {
    case 0x22:
      return token.includes('\\') ? JSON.parse(token) : token.slice(1, -1);
    case 0x74:
      return true;
    case 0x66:
      return false;
    case 0x6e:
      return null;
    case 0x7b:
    case 0x5b:
      return new JsonText(token);
    default: {
      const number = Number(token);
      return String(number) === token ? number : new JsonText(token);
    }
  }
}
