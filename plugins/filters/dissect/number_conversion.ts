import { type Batch, type Field, valueKind } from '../../../core/sdk/index.ts';

/** What counts as a number: decimal digits, as Logstash's converter takes them. */
const numberPattern = /^\s*([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?\s*$/;
/** Longer texts are no numbers that anybody counts with. */
const numberCharactersMax = 400;

/** Makes the text of one field a number. A record without the field is left alone; one whose text
 *  is no number keeps it and gets the mark that Logstash gives. */
export class NumberConversion {
  private readonly field: Field;
  private readonly type: 'int' | 'float';
  private readonly mark: string;

  constructor(name: string, field: Field, type: 'int' | 'float') {
    this.field = field;
    this.type = type;
    this.mark = `_dataconversionuncoercible_${name}_${type}`;
  }

  process(batch: Batch): void {
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      const text = batch.textAt(index, this.field);
      if (text === undefined) continue;
      const json = this.type === 'int' ? wholeNumber(text) : floatNumber(text);
      if (json === undefined) batch.addMark(index, this.mark);
      else batch.setField(index, this.field, Buffer.from(json), valueKind.json);
    }
  }
}

/** A whole number as JSON, cut at the point; of any size, all digits stay. */
function wholeNumber(text: string): string | undefined {
  const parts = text.length > numberCharactersMax ? null : numberPattern.exec(text);
  if (parts === null) return undefined;
  const [, sign, digits, , exponent] = parts;
  if (exponent === undefined) {
    const plain = digits!.replace(/^0+(?=\d)/, '');
    return sign === '-' && plain !== '0' ? `-${plain}` : plain;
  }
  const number = Math.trunc(Number(text));
  return Number.isFinite(number) ? BigInt(number).toString() : undefined;
}

function floatNumber(text: string): string | undefined {
  if (text.length > numberCharactersMax || !numberPattern.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? String(number) : undefined;
}
