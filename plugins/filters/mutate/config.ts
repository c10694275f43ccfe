const fieldMap = {
  type: 'object',
  additionalProperties: { type: 'string', minLength: 1, 'x-type': 'field' },
} as const;

const fieldList = {
  type: 'array',
  items: { type: 'string', minLength: 1, 'x-type': 'field' },
} as const;

const textList = { type: 'array', items: { type: 'string', minLength: 1 } } as const;

const valueMap = { type: 'object', additionalProperties: true } as const;

const separatorMap = { type: 'object', additionalProperties: { type: 'string' } } as const;

export const schema = {
  type: 'object',
  properties: {
    coerce: {
      ...valueMap,
      description: 'Values for fields that are there and null: `{field: value}`.',
    },
    rename: {
      ...fieldMap,
      description: 'New names of fields: `{old: new}`; a field of the new name is replaced.',
    },
    update: {
      ...valueMap,
      description:
        'New values of fields that are there: `{field: value}`; texts may have `%{field}`.',
    },
    replace: {
      ...valueMap,
      description:
        'Values of fields, there or not, set before the other operations look at them: `{field: value}`.',
    },
    convert: {
      type: 'object',
      additionalProperties: {
        enum: ['integer', 'integer_eu', 'float', 'float_eu', 'string', 'boolean'],
      },
      description:
        'Types of fields: `{field: integer}`. As in Logstash, a text without a number becomes 0 and a text that is no boolean stays.',
    },
    gsub: {
      type: 'array',
      items: {
        anyOf: [
          { type: 'string' },
          { type: 'array', minItems: 3, maxItems: 3, items: { type: 'string' } },
          {
            type: 'object',
            required: ['field', 'pattern', 'replacement'],
            properties: {
              field: {
                type: 'string',
                minLength: 1,
                'x-type': 'field',
                description: 'Field whose text is changed.',
              },
              pattern: {
                type: 'string',
                minLength: 1,
                'x-type': 'regex',
                description: 'Regular expression, in Ruby syntax.',
              },
              replacement: {
                type: 'string',
                description: 'What takes the place of each match: `\\1`, `\\k<name>`, `%{field}`.',
              },
            },
          },
        ],
      },
      description:
        'Replacements by regular expression: field, pattern and replacement one after another, as lists of three, or as maps.',
    },
    uppercase: { ...fieldList, description: 'Fields whose text becomes upper case.' },
    capitalize: {
      ...fieldList,
      description: 'Fields whose text gets one capital at its beginning, the rest lower case.',
    },
    lowercase: { ...fieldList, description: 'Fields whose text becomes lower case.' },
    strip: { ...fieldList, description: 'Fields whose text loses white space at both ends.' },
    split: {
      ...separatorMap,
      description: 'Separators at which texts become arrays: `{field: ","}`.',
    },
    join: {
      ...separatorMap,
      description: 'Separators with which arrays become texts: `{field: ","}`.',
    },
    merge: {
      type: 'object',
      additionalProperties: {
        type: 'array',
        items: { type: 'string', minLength: 1, 'x-type': 'field' },
      },
      description:
        'Fields whose elements or members are added to another: `{into: from}` or `{into: [from, from]}`.',
    },
    copy: { ...fieldMap, description: 'Copies of fields: `{from: to}`.' },
    set: {
      ...valueMap,
      description:
        'Values of fields, set when all above is done: `{field: value}`; texts may have `%{field}` and `%{+YYYY.MM.dd}`.',
    },
    remove: { ...fieldList, description: 'Fields to take away.' },
    add_tag: { ...textList, description: 'Marks to add to `tags`; they may have `%{field}`.' },
    remove_tag: { ...textList, description: 'Marks to take out of `tags`.' },
    tag_on_failure: {
      ...textList,
      default: ['_mutate_error'],
      description:
        'Marks for records on which an operation failed: a pattern that took too long, or a merge of an array and an object.',
    },
  },
} as const;

export type ConvertType = 'integer' | 'integer_eu' | 'float' | 'float_eu' | 'string' | 'boolean';

export interface GsubRule {
  readonly field: string;
  readonly pattern: string;
  readonly replacement: string;
}

type FieldMap = Readonly<Record<string, string>>;
type ValueMap = Readonly<Record<string, unknown>>;

export interface Options {
  readonly coerce?: ValueMap;
  readonly rename?: FieldMap;
  readonly update?: ValueMap;
  readonly replace?: ValueMap;
  readonly convert?: Readonly<Record<string, ConvertType>>;
  readonly gsub?: readonly (string | readonly string[] | GsubRule)[];
  readonly uppercase?: readonly string[];
  readonly capitalize?: readonly string[];
  readonly lowercase?: readonly string[];
  readonly strip?: readonly string[];
  readonly split?: FieldMap;
  readonly join?: FieldMap;
  readonly merge?: Readonly<Record<string, readonly string[]>>;
  readonly copy?: FieldMap;
  readonly set?: ValueMap;
  readonly remove?: readonly string[];
  readonly add_tag?: readonly string[];
  readonly remove_tag?: readonly string[];
  readonly tag_on_failure?: readonly string[];
}
