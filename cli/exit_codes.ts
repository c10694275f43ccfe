/** What the process ends with. 78 is EX_CONFIG of sysexits.h; a command that was called wrongly has
 *  failed like any other. */
export const exitCode = { ok: 0, failure: 1, usage: 1, configuration: 78 } as const;
