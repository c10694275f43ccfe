import {
  keywordNames,
  levelName,
  opcodeName,
  securityAuditing,
  taskName,
} from '../../shared/windows_event/standard_names.ts';

/** Members that name a number, as JSON: `"LevelName":"Error"`. Empty where Windows has no name. Each
 *  is made once; there are some hundred. */
export class NameTexts {
  private readonly levels = new Map<number, Buffer>();
  private readonly opcodes = new Map<number, Buffer>();
  private readonly tasks = new Map<number, Buffer>();
  private readonly keywordSets: (Buffer | undefined)[] = [];

  level(value: number): Buffer {
    return this.levels.get(value) ?? keep(this.levels, value, 'LevelName', levelName(value));
  }

  opcode(value: number): Buffer {
    return this.opcodes.get(value) ?? keep(this.opcodes, value, 'OpcodeName', opcodeName(value));
  }

  /** Of an event of the Security log. */
  securityTask(value: number): Buffer {
    const known = this.tasks.get(value);
    return known ?? keep(this.tasks, value, 'TaskName', taskName(securityAuditing, value));
  }

  /** `high`: the upper half of the mask. */
  keywords(high: number): Buffer {
    const bits = (high >>> 16) & 0xff;
    let text = this.keywordSets[bits];
    if (text === undefined) {
      const names = keywordNames(high);
      text = names.length === 0 ? nothing : member('KeywordNames', names);
      this.keywordSets[bits] = text;
    }
    return text;
  }
}

const nothing = Buffer.alloc(0);

function keep(
  texts: Map<number, Buffer>,
  value: number,
  key: string,
  name: string | undefined,
): Buffer {
  // What has no name is not kept: there is no end to it.
  if (name === undefined) return nothing;
  const text = member(key, name);
  texts.set(value, text);
  return text;
}

function member(key: string, value: unknown): Buffer {
  return Buffer.from(`"${key}":${JSON.stringify(value)}`);
}
