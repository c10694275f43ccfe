/** pdhmsg.h. */
export const pdhStatus = {
  newData: 1,
  noInstance: 0x800007d1,
  moreData: 0x800007d2,
  noData: 0x800007d5,
  negativeDenominator: 0x800007d6,
  negativeTimeBase: 0x800007d7,
  negativeValue: 0x800007d8,
  noObject: 0xc0000bb8,
  noCounter: 0xc0000bb9,
  notReady: 0xc0000bba,
  invalidPath: 0xc0000bc4,
  invalidData: 0xc0000bc6,
  accessDenied: 0xc0000bdb,
} as const;

const names =
  'the names are the English ones on every Windows, whatever its language: Get-Counter -ListSet * on an English system shows them';

const meanings: ReadonlyMap<number, string> = new Map([
  [pdhStatus.noObject, `there is no such object: ${names}; lodctr /r rebuilds what is damaged`],
  [pdhStatus.noCounter, `the object has no such counter: ${names}`],
  [pdhStatus.noInstance, 'there is no such instance now'],
  [pdhStatus.noData, 'there is no data now: no instance, or its provider is stopped'],
  [pdhStatus.invalidPath, 'Windows does not take the path: write \\Object(Instance)\\Counter'],
  [
    pdhStatus.accessDenied,
    'access is denied: put the agent’s account into the group "Performance Monitor Users"',
  ],
  [0x800007d0, 'the host cannot be reached: its service RemoteRegistry has to run'],
  [0xc0000bc3, 'the host cannot be reached: its service RemoteRegistry has to run'],
  [0xc0000bfe, 'a provider of counters did not answer in time'],
]);

/** A reason out of a PDH_STATUS. */
export function pdhStatusText(what: string, status: number): string {
  const hex = `0x${status.toString(16).padStart(8, '0')}`;
  const meaning = meanings.get(status);
  return meaning === undefined ? `${what} failed with ${hex}` : `${meaning} (${what}, ${hex})`;
}
