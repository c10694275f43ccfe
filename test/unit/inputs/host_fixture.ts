import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const files: Readonly<Record<string, string>> = {
  'proc/stat': `cpu  300 10 60 4000 7 1 2 3 40 5
cpu0 200 5 40 2000 3 1 1 2 30 5
cpu1 100 5 20 2000 4 0 1 1 10 0
intr 1234567 1 2 3
ctxt 7654321
btime 1700000000
processes 4242
procs_running 3
procs_blocked 1
softirq 9 9 9
`,
  'proc/loadavg': '0.52 1.25 2.00 3/456 7890\n',
  'proc/meminfo': `MemTotal:       16384000 kB
MemFree:         1024000 kB
Active(anon):     512000 kB
HugePages_Total:      12
DirectMap4k:        1000 kB
`,
  'proc/diskstats': `   8       0 sda 100 10 2000 300 50 5 1000 60 2 400 500 7 1 640 8 9 90
   8       1 sda1 1 2 3 4 5 6 7 8 9 10 11
 259       0 nvme0n1 10 0 80 4 20 0 160 8 0 9 12
   7       0 loop0 1 2 3 4 5 6 7 8 9 10 11
`,
  'proc/1/net/dev': `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       2    0    0    0     0          0         0      100       2    0    0    0     0       0          0
  eth0:1234567890 1000    1    2    3     4          5         6      999      10    7    8    9    10      11         12
`,
  'sys/class/net/eth0/operstate': 'up\n',
  'sys/class/net/eth0/carrier': '1\n',
  'sys/class/net/eth0/carrier_changes': '2\n',
  'sys/class/net/eth0/mtu': '1500\n',
  'sys/class/net/eth0/speed': '1000\n',
  'sys/class/net/eth0/tx_queue_len': '1000\n',
  'sys/class/net/lo/operstate': 'unknown\n',
  'sys/class/net/lo/speed': '-1\n',
  'sys/class/net/lo/mtu': '65536\n',
  'proc/1/mountinfo': `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
28 27 8:2 / /with\\040space ro,relatime - xfs /dev/sda2 rw
29 27 0:50 / /nfs rw,relatime - nfs4 server:/export rw,vers=4.2
`,
  'proc/sys/fs/file-nr': '1024\t0\t9223372036854775807\n',
  'proc/sys/kernel/pid_max': '4194304\n',
  'proc/sys/kernel/threads-max': '128000\n',
  'proc/sys/kernel/ostype': 'Linux\n',
  'proc/sys/kernel/osrelease': '6.1.0-test\n',
  'proc/sys/kernel/version': '#1 SMP\n',
  'proc/sys/kernel/hostname': 'box\n',
  'proc/sys/kernel/domainname': '(none)\n',
  'proc/vmstat': `nr_free_pages 1
pgpgin 10
pgpgout 20
pgfault 30
pgmajfault 4
oom_kill 0
pgsteal_direct 7
`,
  'proc/pressure/cpu': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n',
  'proc/pressure/io': `some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000
full avg10=0.00 avg60=0.00 avg300=0.00 total=500000
`,
  'proc/net/sockstat': 'sockets: used 100\nTCP: inuse 10 orphan 0 tw 2 alloc 12 mem 3\n',
  'proc/net/sockstat6': 'TCP6: inuse 4\n',
  'proc/1/stat': stat(1, 'systemd', 'S', { threads: 1, ticks: 500, pages: 1000 }),
  'proc/200/stat': stat(200, 'a) R (odd name', 'R', { threads: 4, ticks: 900, pages: 10 }),
  'proc/201/stat': stat(201, 'zombie', 'Z', { threads: 1, ticks: 1, pages: 0 }),
};

interface ProcessNumbers {
  readonly threads: number;
  readonly ticks: number;
  readonly pages: number;
}

function stat(
  pid: number,
  name: string,
  state: string,
  { threads, ticks, pages }: ProcessNumbers,
): string {
  return `${pid} (${name}) ${state} 0 1 1 0 -1 4194560 0 0 0 0 ${ticks} 100 0 0 20 0 ${threads} 0 5 1000000 ${pages} 1844\n`;
}

export interface HostTree {
  readonly root: string;
  readonly options: { readonly proc_path: string; readonly sys_path: string };
  write(path: string, text: string): Promise<void>;
  remove(): Promise<void>;
}

/** A tree of the kernel's files, as a host with two disks, two networks and an NFS mount has it. */
export async function hostTree(): Promise<HostTree> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-host-'));
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  for (const [path, text] of Object.entries(files)) await write(path, text);
  await symlink('1', join(root, 'proc/self'));
  return {
    root,
    options: { proc_path: join(root, 'proc'), sys_path: join(root, 'sys') },
    write,
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
