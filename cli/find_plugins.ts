import { nearest } from '../core/config/nearest.ts';
import type { AnyPlugin } from '../core/sdk/define.ts';
import { ownPlugins } from './plugin_set.ts';

/** The plugins of a name or alias, which several kinds may share (`json`), or `KIND/NAME` for one;
 *  a sentence when there is none. */
export function findPlugins(wanted: string): readonly AnyPlugin[] | string {
  const slash = wanted.indexOf('/');
  const kind = slash < 0 ? undefined : wanted.slice(0, slash);
  const name = wanted.slice(slash + 1);
  const found = ownPlugins.plugins.filter(
    (plugin) =>
      (kind === undefined || plugin.kind === kind) &&
      (plugin.name === name || plugin.aliases?.includes(name) === true),
  );
  if (found.length > 0) return found;
  const near = nearest(
    name,
    ownPlugins.plugins.map((plugin) => plugin.name),
  );
  const hint = near === undefined ? '"sluice plugins" lists them' : `did you mean "${near}"?`;
  return `there is no plugin "${wanted}"; ${hint}`;
}
