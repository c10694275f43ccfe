/** What a template is compiled to: how to write the JSON of a record from the template's values.
 *  Plans are shared by all records of a template and never change. */
export interface EventPlan {
  /** The template's root is the `Event`; else it stands inside one. */
  readonly isEvent: boolean;
  /** One per entry of `systemFields`; undefined where the template has none. All undefined in a
   *  template that stands inside an event's own. */
  readonly system: readonly (FieldPlan | undefined)[];
  readonly body: readonly MemberPlan[];
  /** Values that stand directly in the event: the binary XML of `EventData` and its like. */
  readonly bodyHoles: readonly number[];
  /** What `StringInserts` has; undefined where only the tree can say. */
  readonly inserts: InsertsPlan | undefined;
}

/** The texts of `Data` in the first `EventData`. */
export interface InsertsPlan {
  /** Values without which there is no `EventData`. */
  readonly required: readonly number[];
  readonly values: readonly ValuePlan[];
}

/** A field of `System`: a constant, or a value. */
export interface FieldPlan {
  /** Values without which the field is left out. */
  readonly required: readonly number[];
  /** The constant; undefined where `index` says which value it is. */
  readonly text: string | undefined;
  /** The constant as JSON: quoted, or a number. */
  readonly json: Buffer;
  readonly index: number;
}

/** A key and what stands under it: nothing, one value, or a list. */
export interface MemberPlan {
  /** `"key":` */
  readonly key: Buffer;
  readonly name: string;
  readonly values: readonly ValuePlan[];
}

export interface ValuePlan {
  /** Values without which this one is left out. */
  readonly required: readonly number[];
  /** An object's members; undefined for text. */
  readonly members: readonly MemberPlan[] | undefined;
  /** Whether an object without members stays one. */
  readonly mayBeEmpty: boolean;
  readonly text: readonly TextPart[];
  /** The only part, when it is a value that stands in an element: an array repeats that. */
  readonly repeatable: number;
  /** Number among the texts that `StringInserts` repeats, or -1. */
  readonly slot: number;
}

/** A piece of text: a constant (the inside of a JSON string), or a value. */
export interface TextPart {
  readonly literal: Buffer | undefined;
  readonly index: number;
}
