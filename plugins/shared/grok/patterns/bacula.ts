import { anyOf, type FieldNaming, type PatternSet } from './notation.ts';

const volume = (field: string) => `"%{BACULA_VOLUME:${field}}"`;

/** Bacula's job log: one line a message. The names after `BACULA_LOG_` in the order they are tried. */
export function baculaPatterns(naming: FieldNaming): PatternSet {
  const messages = naming === 'legacy' ? legacyMessages() : ecsMessages();
  const out: Record<string, string> = {
    BACULA_VOLUME: '%{USER}',
    BACULA_DEVICE: '%{USER}',
    BACULA_DEVICEPATH: '%{UNIXPATH}',
    BACULA_CAPACITY: '%{INT}{1,3}(?:,%{INT}{3})*',
    BACULA_VERSION: '%{USER}',
    BACULA_JOB: '%{USER}',
    BACULA_LOG_JOB: String.raw`(?:Error: )?Bacula %{BACULA_HOST} %{BACULA_VERSION} \(%{BACULA_VERSION}\):`,
  };
  for (const [name, text] of Object.entries({ ...fixedMessages, ...messages })) {
    out[`BACULA_LOG_${name}`] = text;
  }
  const any = anyOf(...order.map((name) => `BACULA_LOG_${name}`));
  if (naming === 'legacy') {
    out['BACULA_TIMESTAMP'] = '%{MONTHDAY}-%{MONTH} %{HOUR}:%{MINUTE}';
    out['BACULA_HOST'] = '[a-zA-Z0-9-]+';
    out['BACULA_LOGLINE'] =
      `%{BACULA_TIMESTAMP:bts} %{BACULA_HOST:hostname}(?: JobId %{INT:jobid})?: ${any}`;
  } else {
    out['BACULA_TIMESTAMP'] = '%{MONTHDAY}-%{MONTH}(?:-%{YEAR})? %{HOUR}:%{MINUTE}';
    out['BACULA_HOST'] = '%{HOSTNAME}';
    out['BACULA_LOG'] =
      `%{BACULA_TIMESTAMP:timestamp} %{BACULA_HOST:host.hostname}(?: JobId %{INT:bacula.job.id})?:? ${any}`;
    out['BACULA_LOGLINE'] = '%{BACULA_LOG}';
  }
  return out;
}

const fixedMessages: PatternSet = {
  BEGIN_PRUNE_JOBS: 'Begin pruning Jobs older than %{INT} month %{INT} days .',
  BEGIN_PRUNE_FILES: 'Begin pruning Files.',
  ENDPRUNE: 'End auto prune.',
  NOPRUNE_JOBS: 'No Jobs found to prune.',
  NOPRUNE_FILES: 'No Files found to prune.',
  VSS: '(?:Generate )?VSS (?:Writer)?',
  NOSUIT: 'No prior or suitable Full backup found in catalog. Doing FULL backup.',
  NOPRIOR: 'No prior Full backup Job record found.',
};

function legacyMessages(): PatternSet {
  const device = '"%{BACULA_DEVICE:device}"';
  const path = String.raw`\(%{BACULA_DEVICEPATH}\)`;
  const at = '%{MONTHDAY}-%{MONTH}-%{YEAR} %{HOUR}:%{MINUTE}';
  const connect =
    'connect to (?:Client: %{BACULA_HOST:client}|Storage daemon) on %{HOSTNAME}:%{POSINT}. ERR=(?<berror>%{GREEDYDATA})';
  return {
    MAX_CAPACITY: `User defined maximum volume capacity %{BACULA_CAPACITY} exceeded on device ${device} ${path}`,
    END_VOLUME: `End of medium on Volume ${volume('volume')} Bytes=%{BACULA_CAPACITY} Blocks=%{BACULA_CAPACITY} at ${at}.`,
    NEW_VOLUME: `Created new Volume ${volume('volume')} in catalog.`,
    NEW_LABEL: `Labeled new Volume ${volume('volume')} on device ${device} ${path}.`,
    WROTE_LABEL: `Wrote label to prelabeled Volume ${volume('volume')} on device "%{BACULA_DEVICE}" ${path}`,
    NEW_MOUNT: `New volume ${volume('volume')} mounted on device ${device} ${path} at ${at}.`,
    NOOPEN: String.raw`\s*Cannot open %{DATA}: ERR=%{GREEDYDATA:berror}`,
    NOOPENDIR: String.raw`\s*Could not open directory %{DATA}: ERR=%{GREEDYDATA:berror}`,
    NOSTAT: String.raw`\s*Could not stat %{DATA}: ERR=%{GREEDYDATA:berror}`,
    NOJOBS: `There are no more Jobs associated with Volume ${volume('volume')}. Marking it purged.`,
    ALL_RECORDS_PRUNED: `All records pruned from Volume ${volume('volume')}; marking it "Purged"`,
    PRUNED_JOBS: 'Pruned %{INT} Jobs* for client %{BACULA_HOST:client} from catalog.',
    PRUNED_FILES: 'Pruned Files from %{INT} Jobs* for client %{BACULA_HOST:client} from catalog.',
    STARTJOB: 'Start Backup JobId %{INT}, Job=%{BACULA_JOB:job}',
    STARTRESTORE: 'Start Restore Job %{BACULA_JOB:job}',
    USEDEVICE: `Using Device ${device}`,
    DIFF_FS: String.raw`\s+%{UNIXPATH} is a different filesystem. Will not descend from %{UNIXPATH} into it.`,
    JOBEND:
      'Job write elapsed time = %{DATA:elapsed}, Transfer rate = %{NUMBER} [KMG]? Bytes/second',
    VOLUME_PREVWRITTEN: `Volume ${volume('volume')} previously written, moving to end of data.`,
    READYAPPEND: `Ready to append to end of Volume ${volume('volume')} size=%{INT}`,
    CANCELLING: 'Cancelling duplicate JobId=%{INT}.',
    MARKCANCEL: 'JobId %{INT}, Job %{BACULA_JOB:job} marked to be canceled.',
    CLIENT_RBJ: 'shell command: run ClientRunBeforeJob "%{GREEDYDATA:runjob}"',
    MAXSTART: 'Fatal error: Job canceled because max start delay time exceeded.',
    DUPLICATE: 'Fatal error: JobId %{INT:duplicate} already running. Duplicate job not allowed.',
    NOJOBSTAT: 'Fatal error: No Job status returned from FD.',
    FATAL_CONN: `Fatal error: bsock.c:133 Unable to ${connect}`,
    NO_CONNECT: `Warning: bsock.c:127 Could not ${connect}`,
    NO_AUTH: 'Fatal error: Unable to authenticate with File daemon at %{DATA}. Possible causes:',
  };
}

function ecsMessages(): PatternSet {
  const name = volume('bacula.volume.name');
  const device = '"%{BACULA_DEVICE:bacula.volume.device}"';
  const path = String.raw`\(%{BACULA_DEVICEPATH:bacula.volume.path}\)`;
  const at = '%{BACULA_TIMESTAMP:bacula.timestamp}';
  const failed = 'ERR=%{GREEDYDATA:error.message}';
  const client = '%{BACULA_HOST:bacula.client.name}';
  const address = '%{IPORHOST:client.address}';
  const connect = `connect to (?:Client: ${client}|Storage daemon) on ${address}:%{POSINT:client.port:int}. ${failed}`;
  return {
    MAX_CAPACITY: `User defined maximum volume capacity %{BACULA_CAPACITY:bacula.volume.max_capacity} exceeded on device ${device} ${path}.?`,
    END_VOLUME: `End of medium on Volume ${name} Bytes=%{BACULA_CAPACITY:bacula.volume.bytes} Blocks=%{BACULA_CAPACITY:bacula.volume.blocks} at ${at}.`,
    NEW_VOLUME: `Created new Volume ${name} in catalog.`,
    NEW_LABEL: `Labeled new Volume ${name} on (?:file )?device ${device} ${path}.`,
    WROTE_LABEL: `Wrote label to prelabeled Volume ${name} on device ${device} ${path}`,
    NEW_MOUNT: `New volume ${name} mounted on device ${device} ${path} at ${at}.`,
    NOOPEN: String.raw`\s*Cannot open %{DATA}: ${failed}`,
    NOOPENDIR: String.raw`\s*Could not open directory "?%{DATA:file.path}"?: ${failed}`,
    NOSTAT: String.raw`\s*Could not stat %{DATA:file.path}: ${failed}`,
    NOJOBS: `There are no more Jobs associated with Volume ${name}. Marking it purged.`,
    ALL_RECORDS_PRUNED: `.*?All records pruned from Volume ${name}; marking it "Purged"`,
    PRUNED_JOBS: `Pruned %{INT} Jobs* for client ${client} from catalog.`,
    PRUNED_FILES: `Pruned Files from %{INT} Jobs* for client ${client} from catalog.`,
    STARTJOB: 'Start Backup JobId %{INT}, Job=%{BACULA_JOB:bacula.job.name}',
    STARTRESTORE: 'Start Restore Job %{BACULA_JOB:bacula.job.name}',
    USEDEVICE: `Using Device ${device}`,
    DIFF_FS: String.raw`\s*%{UNIXPATH} is a different filesystem. Will not descend from %{UNIXPATH} into it.`,
    JOBEND:
      'Job write elapsed time = %{DATA:bacula.job.elapsed_time}, Transfer rate = %{NUMBER} [KMG]? Bytes/second',
    VOLUME_PREVWRITTEN:
      'Volume "?%{BACULA_VOLUME:bacula.volume.name}"? previously written, moving to end of data.',
    READYAPPEND: `Ready to append to end of Volume ${name} size=%{INT:bacula.volume.size:int}`,
    CANCELLING: 'Cancelling duplicate JobId=%{INT:bacula.job.other_id}.',
    MARKCANCEL:
      'JobId %{INT:bacula.job.id}, Job %{BACULA_JOB:bacula.job.name} marked to be canceled.',
    CLIENT_RBJ:
      'shell command: run ClientRunBeforeJob "%{GREEDYDATA:bacula.job.client_run_before_command}"',
    MAXSTART: 'Fatal [eE]rror: Job canceled because max start delay time exceeded.',
    DUPLICATE:
      'Fatal [eE]rror: JobId %{INT:bacula.job.other_id} already running. Duplicate job not allowed.',
    NOJOBSTAT: 'Fatal [eE]rror: No Job status returned from FD.',
    FATAL_CONN: `Fatal [eE]rror: bsock.c:133 Unable to ${connect}`,
    NO_CONNECT: `Warning: bsock.c:127 Could not ${connect}`,
    NO_AUTH: `Fatal error: Unable to authenticate with File daemon at "?${address}(?::%{POSINT:client.port:int})?"?. Possible causes:`,
  };
}

const order = [
  ...['MAX_CAPACITY', 'END_VOLUME', 'NEW_VOLUME', 'NEW_LABEL', 'WROTE_LABEL', 'NEW_MOUNT'],
  ...['NOOPEN', 'NOOPENDIR', 'NOSTAT', 'NOJOBS', 'ALL_RECORDS_PRUNED', 'BEGIN_PRUNE_JOBS'],
  ...['BEGIN_PRUNE_FILES', 'PRUNED_JOBS', 'PRUNED_FILES', 'ENDPRUNE', 'STARTJOB', 'STARTRESTORE'],
  ...['USEDEVICE', 'DIFF_FS', 'JOBEND', 'NOPRUNE_JOBS', 'NOPRUNE_FILES', 'VOLUME_PREVWRITTEN'],
  ...['READYAPPEND', 'CANCELLING', 'MARKCANCEL', 'CLIENT_RBJ', 'VSS', 'MAXSTART', 'DUPLICATE'],
  ...['NOJOBSTAT', 'FATAL_CONN', 'NO_CONNECT', 'NO_AUTH', 'NOSUIT', 'JOB', 'NOPRIOR'],
];
