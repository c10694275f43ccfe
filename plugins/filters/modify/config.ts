const rules = { type: 'array', items: { type: 'string', minLength: 1 } } as const;

export const schema = {
  type: 'object',
  properties: {
    set: { ...rules, description: 'Rules `KEY VALUE`: the field gets the value.' },
    add: { ...rules, description: 'Rules `KEY VALUE`: the field gets the value if it is missing.' },
    remove: { ...rules, description: 'Fields to take away.' },
    remove_wildcard: {
      ...rules,
      description: 'Beginnings of keys, with or without `*` behind: such fields go.',
    },
    remove_regex: { ...rules, description: 'Regular expressions: fields whose key matches go.' },
    move_to_start: {
      ...rules,
      description: 'Keys, or beginnings of keys with `*` behind: such fields move to the start.',
    },
    move_to_end: {
      ...rules,
      description: 'Keys, or beginnings of keys with `*` behind: such fields move to the end.',
    },
    rename: {
      ...rules,
      description: 'Rules `KEY NEW_KEY`: the field gets the new key if that is free.',
    },
    hard_rename: {
      ...rules,
      description: 'Rules `KEY NEW_KEY`: the field gets the new key, in place of one that has it.',
    },
    copy: {
      ...rules,
      description: 'Rules `KEY NEW_KEY`: the field is copied if the new key is free.',
    },
    hard_copy: {
      ...rules,
      description: 'Rules `KEY NEW_KEY`: the field is copied, in place of one that has the key.',
    },
    condition: {
      ...rules,
      description:
        'Conditions that a record must meet, all of them, for the rules to apply: `Key_exists KEY`, `Key_value_matches KEY REGEX` and others.',
    },
  },
} as const;

type Rules = readonly string[];

export interface Options {
  readonly set?: Rules;
  readonly add?: Rules;
  readonly remove?: Rules;
  readonly remove_wildcard?: Rules;
  readonly remove_regex?: Rules;
  readonly move_to_start?: Rules;
  readonly move_to_end?: Rules;
  readonly rename?: Rules;
  readonly hard_rename?: Rules;
  readonly copy?: Rules;
  readonly hard_copy?: Rules;
  readonly condition?: Rules;
}
