import { exitCode } from './exit_codes.ts';

/** The programs of helper processes by name; each serves once it is imported. */
const helpers: Readonly<Record<string, () => Promise<unknown>>> = {
  wmi_helper: () => import('../plugins/inputs/wmi/wmi_helper.ts'),
  pdh_helper: () => import('../plugins/inputs/perfcounter/pdh_helper.ts'),
};

/** Makes this process the helper of that name, until the agent that started it is gone. */
export async function serveAs(name = ''): Promise<number> {
  if (!Object.hasOwn(helpers, name)) return exitCode.usage;
  await helpers[name]!();
  return exitCode.ok;
}
