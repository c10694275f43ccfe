import { pathTag } from '../../shared/file_finder/path_tag.ts';
import type { TailSettings } from './tail_settings.ts';

/** The tag of a file's records. `*` in the configured tag stands for the path with `/` as `.`;
 *  `<name>` for what the group of that name in `tag_regex` matched, empty when it did not. */
export function fileTag(settings: TailSettings, path: string): string {
  let { tag } = settings;
  if (settings.tagRegex !== undefined) {
    const match = settings.tagRegex.exec(path);
    const names = settings.tagRegex.groupNames;
    tag = tag.replace(/<([A-Za-z_][A-Za-z0-9_]*)>/g, (whole, name: string) => {
      const index = names.indexOf(name);
      if (index < 0) return whole;
      return match?.groups[index] ?? '';
    });
  }
  return pathTag(tag, path);
}
