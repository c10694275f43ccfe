import { MissingTool } from './machine_tools.ts';
import type { Verdict } from './server.ts';

/** Turns a check that throws MissingTool into a verdict; any other error is passed on. */
export async function verdictOf(check: () => Promise<void>): Promise<Verdict> {
  try {
    await check();
    return { ok: true };
  } catch (error) {
    if (error instanceof MissingTool) return { ok: false, why: error.message };
    throw error;
  }
}
