import type { EventRecord } from '../../shared/windows_event/event_record.ts';
import type { EventValue } from '../../shared/windows_event/element_value.ts';
import type { WinevtlogOptions } from './config.ts';

type Members = EventRecord['members'];

/** The lines of an event's text, in order: Fluent Bit's. The message stands last, because it may have
 *  lines of its own. */
const lineNames = [
  ...[
    'ProviderName',
    'ProviderGuid',
    'Qualifiers',
    'EventID',
    'Version',
    'Level',
    'Task',
    'Opcode',
  ],
  ...['Keywords', 'TimeCreated', 'EventRecordID', 'ActivityID', 'RelatedActivityID', 'ProcessID'],
  ...['ThreadID', 'Channel', 'Computer', 'UserID', 'Message'],
];

/** The record that the options want of an event's members. */
export function inForm(members: Members, options: WinevtlogOptions): Members {
  if (!options.render_event_as_text) {
    if (options.event_data_as_map) return members;
    return new Map([...members].filter(([name]) => name !== 'EventData'));
  }
  const record = new Map<string, EventValue | number>();
  record.set(options.render_event_text_key, eventText(members));
  const inserts = members.get('StringInserts');
  if (inserts !== undefined) record.set('StringInserts', inserts);
  return record;
}

/** Lines of `name=value`; what an event lacks has nothing behind its `=`. */
function eventText(members: Members): string {
  return lineNames.map((name) => `${name}=${textOf(members.get(name))}`).join('\n');
}

function textOf(value: EventValue | number | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
