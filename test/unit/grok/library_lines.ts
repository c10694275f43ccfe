export type Fields = Record<string, unknown> | null;

/** A line, and the fields it must give with flat names and with Elastic Common Schema names;
 *  undefined: not part of that set. */
export type LibraryLine = readonly [
  pattern: string,
  line: string,
  legacy: Fields | undefined,
  ecs: Fields | undefined,
];
