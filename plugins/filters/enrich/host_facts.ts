import { arch, networkInterfaces, platform, release, type } from 'node:os';
import type { HostFact } from './config.ts';

/** Facts about this machine, in the shape of the Elastic Common Schema's `host`. */
export function hostFacts(facts: readonly HostFact[], hostName: string): Record<string, unknown> {
  const host: Record<string, unknown> = {};
  for (const fact of facts) {
    switch (fact) {
      case 'name':
        host['name'] = hostName;
        break;
      case 'architecture':
        host['architecture'] = arch();
        break;
      case 'os':
        host['os'] = { platform: platform(), name: type(), version: release() };
        break;
      case 'ip':
        host['ip'] = addresses();
    }
  }
  return host;
}

function addresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((one) => !one.internal)
    .map((one) => one.address);
}
