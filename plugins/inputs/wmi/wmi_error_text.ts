/** What WMI's and COM's error codes mean, and what to do (wbemcli.h, winerror.h). */
const meanings: ReadonlyMap<number, string> = new Map([
  [
    0x80041003,
    'access is denied: give the agent’s account "Enable Account" (and "Remote Enable") on the namespace in wmimgmt.msc, or give the query a fallback that needs no rights',
  ],
  [
    0x80070005,
    'access is denied: put the account into "Distributed COM Users" and "Performance Monitor Users" of that host, or check its password',
  ],
  [0x80041008, 'WMI takes a parameter for invalid: check the namespace and the name of the class'],
  [
    0x8004100e,
    'there is no such namespace: check its spelling; namespaces of roles exist where the role is installed',
  ],
  [
    0x80041010,
    'there is no such class in this namespace: check its spelling; wbemtest shows what there is',
  ],
  [
    0x80041017,
    'the query is no valid WQL, or names a property that the class has not: try it in wbemtest',
  ],
  [0x80041018, 'the query language is not WQL'],
  [
    0x80041001,
    'the provider failed: the log Microsoft-Windows-WMI-Activity/Operational says why; winmgmt /verifyrepository checks the repository',
  ],
  [0x80041006, 'WMI is out of memory: the quota of its provider host is used up'],
  [0x80041014, 'the provider could not start: its role or driver may have been removed'],
  [0x80041015, 'WMI refuses the transport: check the name of the host, or use transport: winrm'],
  [
    0x80041032,
    'the call was cancelled: the provider took longer than WMI grants, or winmgmt was restarted',
  ],
  [0x80041033, 'WMI is shutting down; it is asked again at the next interval'],
  [0x8004106c, 'a quota of WMI is used up: ask less often, or for fewer rows'],
  [
    0x80041064,
    'WMI takes no user name for this host itself: leave username and password out, or name another host',
  ],
  [
    0x800706ba,
    'the RPC server is not reachable (1722): check the host’s name, that it is up, and that its firewall lets "Windows Management Instrumentation" in',
  ],
  [0x800706be, 'the remote call failed (1726): the host or its WMI service went away'],
  [0x80010108, 'the connection to WMI is gone; it is opened again'],
  [0x80040154, 'WMI is not installed on this host'],
]);

/** A reason out of an HRESULT. */
export function wmiErrorText(what: string, code: number): string {
  const hex = `0x${code.toString(16).padStart(8, '0')}`;
  const meaning = meanings.get(code);
  return meaning === undefined ? `${what} failed with ${hex}` : `${meaning} (${what}, ${hex})`;
}

/** Codes after which a connection is of no use any more. */
export function endsConnection(code: number): boolean {
  return [0x800706ba, 0x800706be, 0x80010108, 0x80041033, 0x800706bf].includes(code);
}
