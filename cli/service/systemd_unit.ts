/** What a unit of Sluice is made from. Paths are absolute. */
export interface UnitPlan {
  readonly name: string;
  readonly description: string;
  /** The program and the arguments before `run`. */
  readonly program: readonly string[];
  readonly pipelineFiles: readonly string[];
  readonly workingDirectory: string;
  /** The account; an account of systemd's making (`DynamicUser`) when undefined. */
  readonly user: string | undefined;
  readonly groups: readonly string[];
  /** Directories that the agent may write besides its state directory. */
  readonly writable: readonly string[];
  /** Grants CAP_DAC_READ_SEARCH: every file can be read, whoever owns it. */
  readonly readsAllFiles: boolean;
  /** `service.grace` of the pipeline file. */
  readonly graceMs: number;
  /** Undefined where systemd-notify is missing: then nothing can be told to systemd. */
  readonly watchdogSeconds: number | undefined;
}

/** What systemd waits beyond the agent's own grace before it kills: the agent ends by itself. */
const stopReserveSeconds = 10;

/** The text of a systemd unit. Source: systemd.service(5), systemd.exec(5), sd_notify(3).
 *  No MemoryDenyWriteExecute: V8 makes machine code at run time. */
export function systemdUnit(plan: UnitPlan): string {
  return [
    '[Unit]',
    `Description=${plan.description.replaceAll('%', '%%')}`,
    'Wants=network-online.target',
    'After=network-online.target',
    // A pipeline file that is wrong is not tried forever.
    'StartLimitIntervalSec=300',
    'StartLimitBurst=10',
    '',
    '[Service]',
    ...lifeLines(plan),
    '',
    ...accountLines(plan),
    '',
    ...hardening,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

function lifeLines(plan: UnitPlan): string[] {
  const command = [...plan.program, 'run', ...plan.pipelineFiles]
    .map((word) => unitWord(word).replaceAll('$', '$$$$'))
    .join(' ');
  const stopSeconds = Math.ceil(plan.graceMs / 1000) + stopReserveSeconds;
  const { watchdogSeconds } = plan;
  return [
    // systemd-notify is a child process, so messages come from another than the main process.
    ...(watchdogSeconds === undefined ? ['Type=exec'] : ['Type=notify', 'NotifyAccess=all']),
    `ExecStart=${command}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    `WorkingDirectory=${unitPath(plan.workingDirectory)}`,
    'Restart=on-failure',
    'RestartSec=5',
    // 2 and 78: called wrongly, or the pipeline file is wrong. Another start changes nothing.
    'RestartPreventExitStatus=78',
    'KillMode=mixed',
    `TimeoutStopSec=${stopSeconds}`,
    ...(watchdogSeconds === undefined
      ? []
      : ['TimeoutStartSec=90', `WatchdogSec=${watchdogSeconds}`]),
  ];
}

function accountLines(plan: UnitPlan): string[] {
  const capability = plan.readsAllFiles ? 'CAP_DAC_READ_SEARCH' : '';
  return [
    ...(plan.user === undefined ? ['DynamicUser=yes'] : [`User=${unitPath(plan.user)}`]),
    ...(plan.groups.length === 0 ? [] : [`SupplementaryGroups=${plan.groups.join(' ')}`]),
    `StateDirectory=${plan.name}`,
    'StateDirectoryMode=0700',
    ...plan.writable.map((path) => `ReadWritePaths=${unitWord(path)}`),
    `CapabilityBoundingSet=${capability}`,
    `AmbientCapabilities=${capability}`,
  ];
}

const hardening = [
  'NoNewPrivileges=yes',
  'ProtectSystem=strict',
  'ProtectHome=read-only',
  'PrivateTmp=yes',
  'PrivateDevices=yes',
  'ProtectKernelTunables=yes',
  'ProtectKernelModules=yes',
  'ProtectControlGroups=yes',
  'ProtectClock=yes',
  'ProtectHostname=yes',
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'LockPersonality=yes',
  'SystemCallArchitectures=native',
  'SystemCallFilter=@system-service',
  'UMask=0077',
  'LimitNOFILE=65536',
];

/** A word of a command line or list: `%` stands for itself, blanks are quoted. */
function unitWord(word: string): string {
  const text = word.replaceAll('\\', '\\\\').replaceAll('%', '%%').replaceAll('"', '\\"');
  return /[\s"';]/.test(text) || text === '' ? `"${text}"` : text;
}

/** A value that is one path to the end of its line. */
function unitPath(path: string): string {
  return path.replaceAll('%', '%%');
}
