/** A mounted file system. */
export interface Mount {
  readonly device: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly isReadOnly: boolean;
}

/** Reads /proc/PID/mountinfo (proc(5)). Of several at one place the last one is seen. */
export function parseMounts(text: string): Mount[] {
  const mounts = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [left = '', right] = line.split(' - ');
    if (right === undefined) continue;
    const [, , , , mountPoint = '', options = ''] = left.split(' ');
    const [type = '', device = '', superOptions = ''] = right.split(' ');
    const isReadOnly = [options, superOptions].some((list) => list.split(',').includes('ro'));
    const mount = {
      device: unescaped(device),
      mountPoint: unescaped(mountPoint),
      type: unescaped(type),
      isReadOnly,
    };
    mounts.delete(mount.mountPoint);
    mounts.set(mount.mountPoint, mount);
  }
  return [...mounts.values()];
}

/** Spaces and the like are three octal digits behind a backslash, byte by byte. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  const latin1 = Buffer.from(text).toString('latin1');
  const bytes = latin1.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}

/** File systems whose server, or daemon, may be gone: asking about them can take for ever. */
export function isRemote(type: string): boolean {
  return /^(?:nfs4?|cifs|smb3|smbfs|9p|afs|ceph|glusterfs|lustre|beegfs|gpfs|ocfs2|gfs2|coda|ncpfs|fuse(?:blk|\..*)?|virtiofs)$/.test(
    type,
  );
}
