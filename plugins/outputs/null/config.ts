/** The output has no options of its own. */
export const schema = { type: 'object', properties: {} } as const;
