import { type CompiledRegex, type MatchResult, runGuarded } from '../../../core/sdk/index.ts';
import { pathTag } from '../../shared/file_finder/path_tag.ts';
import type { TailSettings } from './tail_settings.ts';

/** Time that the expression may take on a path; one that needs more counts as not matching. */
const matchTimeoutMs = 20;

/** The tag of a file's records. `*` in the configured tag stands for the path with `/` as `.`;
 *  `<name>` for what the group of that name in `tag_regex` matched, empty when it did not. */
export function fileTag(settings: TailSettings, path: string): string {
  let { tag } = settings;
  if (settings.tagRegex !== undefined) {
    const match = matchPath(settings.tagRegex, path);
    const names = settings.tagRegex.groupNames;
    tag = tag.replace(/<([A-Za-z_][A-Za-z0-9_]*)>/g, (whole, name: string) => {
      const index = names.indexOf(name);
      if (index < 0) return whole;
      return match?.groups[index] ?? '';
    });
  }
  return pathTag(tag, path);
}

/** The match in a path. Names are short, but whoever may create files chooses them. */
function matchPath(regex: CompiledRegex, path: string): MatchResult | null {
  if (!regex.mayMatch(path)) return null;
  let match: MatchResult | null = null;
  const step = () => {
    match = regex.exec(path);
  };
  runGuarded({ count: 1, progress: 0, step }, matchTimeoutMs);
  return match;
}
