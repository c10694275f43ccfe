import { nearest } from '../core/config/nearest.ts';
import type { AnyPlugin } from '../core/sdk/define.ts';
import { catalogue, importPlugins } from './plugin_set.ts';

/** The plugins of a name or alias, which several kinds may share (`json`), or `KIND/NAME` for one;
 *  a sentence when there is none. */
export async function findPlugins(wanted: string): Promise<readonly AnyPlugin[] | string> {
  const slash = wanted.indexOf('/');
  const kind = slash < 0 ? undefined : wanted.slice(0, slash);
  const name = wanted.slice(slash + 1);
  const found = catalogue.filter(
    (entry) =>
      (kind === undefined || entry.kind === kind) &&
      (entry.name === name || entry.aliases?.includes(name) === true),
  );
  if (found.length > 0) return await importPlugins(found);
  const near = nearest(
    name,
    catalogue.map((entry) => entry.name),
  );
  const hint = near === undefined ? '"sluice plugins" lists them' : `did you mean "${near}"?`;
  return `there is no plugin "${wanted}"; ${hint}`;
}
