import { anyOf, type FieldNaming, type PatternSet } from './notation.ts';

interface Names {
  readonly type: string;
  readonly command: string;
  readonly host: string;
  readonly service: string;
  readonly state: string;
  readonly stateType: string;
  readonly user: string;
  readonly notification: string;
  readonly attempt: string;
  readonly alertAttempt: string;
  readonly message: string;
  readonly comment: string;
  readonly handler: string;
  readonly checkResult: string;
  readonly downtime: readonly string[];
  readonly period: readonly [string, string];
}

const data = (field: string) => `%{DATA:${field}}`;
const rest = (field: string) => `%{GREEDYDATA:${field}}`;

const legacyNames: Names = {
  type: 'nagios_type',
  command: 'nagios_command',
  host: 'nagios_hostname',
  service: 'nagios_service',
  state: 'nagios_state',
  stateType: 'nagios_statetype',
  user: 'nagios_notifyname',
  notification: 'nagios_contact',
  attempt: data('nagios_statecode'),
  alertAttempt: '%{NUMBER:nagios_attempt}',
  message: 'nagios_message',
  comment: 'nagios_comment',
  handler: 'nagios_event_handler_name',
  checkResult: 'nagios_check_result',
  downtime: [
    ...['start_time', 'end_time', 'fixed', 'trigger_id', 'duration'].map(
      (part) => `%{NUMBER:nagios_${part}}`,
    ),
    data('author'),
    data('comment'),
  ],
  period: ['%{NUMBER:nagios_unknown1}', '%{NUMBER:nagios_unknown2}'],
};

const ecsNames: Names = {
  type: 'nagios.log.type',
  command: 'nagios.log.command',
  host: 'host.hostname',
  service: 'service.name',
  state: 'service.state',
  stateType: 'nagios.log.state_type',
  user: 'user.name',
  notification: 'nagios.log.notification_command',
  attempt: '%{INT:nagios.log.attempt:int}',
  alertAttempt: '%{INT:nagios.log.attempt:int}',
  message: 'message',
  comment: 'nagios.log.comment',
  handler: 'nagios.log.event_handler_name',
  checkResult: 'nagios.log.check_result',
  downtime: [
    ...['start_time', 'end_time', 'fixed', 'trigger_id'].map(
      (part) => `%{NUMBER:nagios.log.${part}}`,
    ),
    '%{NUMBER:nagios.log.duration:int}',
    data('user.name'),
    data('nagios.log.comment'),
  ],
  period: ['%{NUMBER:nagios.log.period_from:int}', '%{NUMBER:nagios.log.period_to:int}'],
};

/** Nagios core's own log: `[time] TYPE: field;field;…`, and its external commands. */
export function nagiosPatterns(naming: FieldNaming): PatternSet {
  const names = naming === 'legacy' ? legacyNames : ecsNames;
  const out: Record<string, string> = {
    NAGIOSTIME: String.raw`\[%{NUMBER:${naming === 'legacy' ? 'nagios_epoch' : 'timestamp'}}\]`,
    NAGIOS_WARNING: `Warning:%{SPACE}${rest(names.message)}`,
    NAGIOS_TYPE_EXTERNAL_COMMAND: 'EXTERNAL COMMAND',
  };
  addEvents(out, names, naming);
  addCommands(out, names);
  out['NAGIOSLOGLINE'] = `%{NAGIOSTIME} ${anyOf(...lineOrder)}`;
  return out;
}

function addEvents(out: Record<string, string>, names: Names, naming: FieldNaming): void {
  const host = data(names.host);
  const service = data(names.service);
  const state = data(names.state);
  const stateType = data(names.stateType);
  // Flat names call the same place `statelevel` in alerts and event handlers.
  const level = naming === 'legacy' ? data('nagios_statelevel') : stateType;
  const both = (kind: string, before: readonly string[], after: readonly string[]) => {
    for (const [scope, target] of [
      ['SERVICE', [host, service]],
      ['HOST', [host]],
    ] as const) {
      const name = kind.replace('*', scope);
      addEvent(out, names, name, [...before, ...target, state, ...after]);
    }
  };
  both('CURRENT_*_STATE', [], [stateType, names.attempt, rest(names.message)]);
  both('*_NOTIFICATION', [data(names.user)], [data(names.notification), rest(names.message)]);
  both('*_ALERT', [], [level, names.alertAttempt, rest(names.message)]);
  both('*_FLAPPING_ALERT', [], [rest(names.message)]);
  both('*_DOWNTIME_ALERT', [], [rest(names.comment)]);
  both('PASSIVE_*_CHECK', [], [rest(names.comment)]);
  both('*_EVENT_HANDLER', [], [level, data(names.handler)]);
  addEvent(out, names, 'TIMEPERIOD_TRANSITION', [service, ...names.period]);
}

function addEvent(
  out: Record<string, string>,
  names: Names,
  name: string,
  fields: readonly string[],
): void {
  out[`NAGIOS_TYPE_${name}`] = name.replaceAll('_', ' ');
  out[`NAGIOS_${name}`] = `%{NAGIOS_TYPE_${name}:${names.type}}: ${fields.join(';')}`;
}

function addCommands(out: Record<string, string>, names: Names): void {
  const host = data(names.host);
  const service = data(names.service);
  const result = [data(names.state), rest(names.checkResult)];
  const commands: Record<string, readonly string[]> = {
    DISABLE_SVC_CHECK: [host, service],
    ENABLE_SVC_CHECK: [host, service],
    DISABLE_HOST_CHECK: [host],
    ENABLE_HOST_CHECK: [host],
    PROCESS_SERVICE_CHECK_RESULT: [host, service, ...result],
    PROCESS_HOST_CHECK_RESULT: [host, ...result],
    SCHEDULE_HOST_DOWNTIME: [host, ...names.downtime],
    DISABLE_HOST_SVC_NOTIFICATIONS: [rest(names.host)],
    ENABLE_HOST_SVC_NOTIFICATIONS: [rest(names.host)],
    DISABLE_HOST_NOTIFICATIONS: [rest(names.host)],
    ENABLE_HOST_NOTIFICATIONS: [rest(names.host)],
    DISABLE_SVC_NOTIFICATIONS: [host, rest(names.service)],
    ENABLE_SVC_NOTIFICATIONS: [host, rest(names.service)],
  };
  out['NAGIOS_EC_SCHEDULE_SERVICE_DOWNTIME'] = 'SCHEDULE_SERVICE_DOWNTIME';
  for (const [command, fields] of Object.entries(commands)) {
    out[`NAGIOS_EC_${command}`] = command;
    const head = `%{NAGIOS_TYPE_EXTERNAL_COMMAND:${names.type}}: %{NAGIOS_EC_${command}:${names.command}}`;
    out[`NAGIOS_EC_LINE_${command}`] = `${head};${fields.join(';')}`;
  }
}

/** Captures are numbered in this order, so it shows where several lines share a field. */
const lineOrder = [
  'NAGIOS_WARNING',
  'NAGIOS_CURRENT_SERVICE_STATE',
  'NAGIOS_CURRENT_HOST_STATE',
  'NAGIOS_SERVICE_NOTIFICATION',
  'NAGIOS_HOST_NOTIFICATION',
  'NAGIOS_SERVICE_ALERT',
  'NAGIOS_HOST_ALERT',
  'NAGIOS_SERVICE_FLAPPING_ALERT',
  'NAGIOS_HOST_FLAPPING_ALERT',
  'NAGIOS_SERVICE_DOWNTIME_ALERT',
  'NAGIOS_HOST_DOWNTIME_ALERT',
  'NAGIOS_PASSIVE_SERVICE_CHECK',
  'NAGIOS_PASSIVE_HOST_CHECK',
  'NAGIOS_SERVICE_EVENT_HANDLER',
  'NAGIOS_HOST_EVENT_HANDLER',
  'NAGIOS_TIMEPERIOD_TRANSITION',
  'NAGIOS_EC_LINE_DISABLE_SVC_CHECK',
  'NAGIOS_EC_LINE_ENABLE_SVC_CHECK',
  'NAGIOS_EC_LINE_DISABLE_HOST_CHECK',
  'NAGIOS_EC_LINE_ENABLE_HOST_CHECK',
  'NAGIOS_EC_LINE_PROCESS_HOST_CHECK_RESULT',
  'NAGIOS_EC_LINE_PROCESS_SERVICE_CHECK_RESULT',
  'NAGIOS_EC_LINE_SCHEDULE_HOST_DOWNTIME',
  'NAGIOS_EC_LINE_DISABLE_HOST_SVC_NOTIFICATIONS',
  'NAGIOS_EC_LINE_ENABLE_HOST_SVC_NOTIFICATIONS',
  'NAGIOS_EC_LINE_DISABLE_HOST_NOTIFICATIONS',
  'NAGIOS_EC_LINE_ENABLE_HOST_NOTIFICATIONS',
  'NAGIOS_EC_LINE_DISABLE_SVC_NOTIFICATIONS',
  'NAGIOS_EC_LINE_ENABLE_SVC_NOTIFICATIONS',
];
