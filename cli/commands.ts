import type { Command } from './command.ts';

/** Every subcommand by name, in the order in which help lists them; the code of each is imported
 *  when it is called. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./commands/run.ts')).run,
  check: async () => (await import('./commands/check.ts')).check,
  quickstart: async () => (await import('./commands/quickstart.ts')).quickstart,
  query: async () => (await import('./commands/query.ts')).query,
  grok: async () => (await import('./commands/grok.ts')).grok,
  parse: async () => (await import('./commands/parse.ts')).parse,
  dlq: async () => (await import('./commands/dlq.ts')).dlq,
  buffer: async () => (await import('./commands/buffer.ts')).buffer,
  service: async () => (await import('./commands/service.ts')).service,
  health: async () => (await import('./commands/health.ts')).health,
  drain: async () => (await import('./commands/drain.ts')).drain,
  plugins: async () => (await import('./commands/plugins.ts')).plugins,
  docs: async () => (await import('./commands/docs.ts')).docs,
  schema: async () => (await import('./commands/schema.ts')).schema,
  version: async () => (await import('./commands/version.ts')).version,
};
