import { type LaneOptions, laneProperties } from '../../shared/collect/lanes.ts';
import { type CollectorName, collectorNames } from './host_source.ts';

export const schema = {
  type: 'object',
  properties: {
    collectors: {
      type: 'array',
      items: { enum: [...collectorNames] },
      minItems: 1,
      uniqueItems: true,
      default: [...collectorNames],
      description: 'What is read of the host; each has its own deadline and its own failures.',
    },
    interval: {
      'x-type': 'duration',
      'x-minimum': 100,
      default: '10s',
      description: 'Time between two readings, counted from the start, without drift.',
    },
    collector_timeout: {
      'x-type': 'duration',
      'x-minimum': 1,
      description: 'How long any collector may take; when absent, what its lane allows.',
    },
    ...laneProperties,
    mount_timeout: {
      'x-type': 'duration',
      'x-minimum': 1,
      default: '5s',
      description:
        'How long one file system may take to say how full it is; then it has `node_filesystem_device_error 1`.',
    },
    labels: {
      type: 'object',
      propertyNames: { pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' },
      additionalProperties: { type: 'string' },
      maxProperties: 32,
      default: {},
      description: 'Labels that every metric gets, such as `{cluster: north}`.',
    },
    top_processes: {
      type: 'integer',
      minimum: 0,
      maximum: 1000,
      default: 0,
      description:
        'How many processes are named that used most CPU time since the last reading, and most memory; each is a series of its own.',
    },
    disk_exclude: {
      'x-type': 'regex',
      default: '^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$',
      description: 'Block devices that are left out; partitions and loop devices by default.',
    },
    network_exclude: {
      'x-type': 'regex',
      default: '',
      description: 'Network devices that are left out, such as `^(lo|veth.*)$`; none by default.',
    },
    mount_point_exclude: {
      'x-type': 'regex',
      default:
        '^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)',
      description: 'Mount points that are left out.',
    },
    filesystem_type_exclude: {
      'x-type': 'regex',
      default:
        '^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$',
      description: 'Types of file systems that are left out.',
    },
    proc_path: {
      type: 'string',
      minLength: 1,
      default: '/proc',
      description: 'Where the host’s /proc is seen.',
    },
    sys_path: {
      type: 'string',
      minLength: 1,
      default: '/sys',
      description: 'Where the host’s /sys is seen.',
    },
    root_path: {
      type: 'string',
      minLength: 1,
      default: '/',
      description: 'Where the root of the host’s file systems is seen, such as `/host/root`.',
    },
  },
} as const;

/** Options after normalising: times in milliseconds. */
export interface HostMetricsOptions extends LaneOptions {
  readonly collectors: readonly CollectorName[];
  readonly interval: number;
  readonly collector_timeout?: number;
  readonly mount_timeout: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly top_processes: number;
  readonly disk_exclude: string;
  readonly network_exclude: string;
  readonly mount_point_exclude: string;
  readonly filesystem_type_exclude: string;
  readonly proc_path: string;
  readonly sys_path: string;
  readonly root_path: string;
}
