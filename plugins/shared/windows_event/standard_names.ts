/** Names that Windows itself defines (winmeta.xml); publishers define further ones, which only
 *  their metadata or a forwarded event's RenderingInfo tells. */

/** Name of a level; classic and audit events have level 0 and count as information. */
export function levelName(level: number): string | undefined {
  return levels[level];
}

export function opcodeName(opcode: number): string | undefined {
  return opcodes[opcode];
}

/** Name of a task of the Security log's publisher; others are not known without metadata. */
export function taskName(provider: string, task: number): string | undefined {
  return provider === securityAuditing ? auditTasks[task] : undefined;
}

/** Names of the keywords that Windows defines. `high` is the upper half of the mask (bits 32 to
 *  63), as an unsigned number; the lower half belongs to the publisher. */
export function keywordNames(high: number): readonly string[] {
  const bits = (high >>> 16) & 0xff;
  let names = keywordMemo[bits];
  if (names === undefined) {
    names = keywords.filter((_name, bit) => ((bits >> bit) & 1) === 1);
    keywordMemo[bits] = names;
  }
  return names;
}

export const securityAuditing = 'Microsoft-Windows-Security-Auditing';

const levels = ['Information', 'Critical', 'Error', 'Warning', 'Information', 'Verbose'];

const opcodes: Readonly<Record<number, string>> = {
  0: 'Info',
  1: 'Start',
  2: 'Stop',
  3: 'DC Start',
  4: 'DC Stop',
  5: 'Extension',
  6: 'Reply',
  7: 'Resume',
  8: 'Suspend',
  9: 'Send',
  240: 'Receive',
};

/** Bits 48 to 55 of the mask. */
const keywords = [
  'Response Time',
  'WDI Context',
  'WDI Diag',
  'SQM',
  'Audit Failure',
  'Audit Success',
  'Correlation Hint',
  'Classic',
];

/** At most 256 entries, the same for everybody. */
const keywordMemo: (readonly string[] | undefined)[] = [];

/** Subcategories of the audit policy, which the Security log has as tasks. */
const auditTasks: Readonly<Record<number, string>> = {
  12288: 'Security State Change',
  12289: 'Security System Extension',
  12290: 'System Integrity',
  12291: 'IPsec Driver',
  12292: 'Other System Events',
  12544: 'Logon',
  12545: 'Logoff',
  12546: 'Account Lockout',
  12547: 'IPsec Main Mode',
  12548: 'Special Logon',
  12549: 'IPsec Quick Mode',
  12550: 'IPsec Extended Mode',
  12551: 'Other Logon/Logoff Events',
  12552: 'Network Policy Server',
  12553: 'User / Device Claims',
  12554: 'Group Membership',
  12800: 'File System',
  12801: 'Registry',
  12802: 'Kernel Object',
  12803: 'SAM',
  12804: 'Other Object Access Events',
  12805: 'Certification Services',
  12806: 'Application Generated',
  12807: 'Handle Manipulation',
  12808: 'File Share',
  12809: 'Filtering Platform Packet Drop',
  12810: 'Filtering Platform Connection',
  12811: 'Detailed File Share',
  12812: 'Removable Storage',
  12813: 'Central Policy Staging',
  13056: 'Sensitive Privilege Use',
  13057: 'Non Sensitive Privilege Use',
  13058: 'Other Privilege Use Events',
  13312: 'Process Creation',
  13313: 'Process Termination',
  13314: 'DPAPI Activity',
  13315: 'RPC Events',
  13316: 'Plug and Play Events',
  13317: 'Token Right Adjusted Events',
  13568: 'Audit Policy Change',
  13569: 'Authentication Policy Change',
  13570: 'Authorization Policy Change',
  13571: 'MPSSVC Rule-Level Policy Change',
  13572: 'Filtering Platform Policy Change',
  13573: 'Other Policy Change Events',
  13824: 'User Account Management',
  13825: 'Computer Account Management',
  13826: 'Security Group Management',
  13827: 'Distribution Group Management',
  13828: 'Application Group Management',
  13829: 'Other Account Management Events',
  14080: 'Directory Service Access',
  14081: 'Directory Service Changes',
  14082: 'Directory Service Replication',
  14083: 'Detailed Directory Service Replication',
  14336: 'Credential Validation',
  14337: 'Kerberos Service Ticket Operations',
  14338: 'Other Account Logon Events',
  14339: 'Kerberos Authentication Service',
};
