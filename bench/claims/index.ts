import type { Claim } from './claim.ts';
import { inputClaims } from './input_claims.ts';
import { liveClaims } from './live_claims.ts';
import { startClaims } from './start_claim.ts';
import { workerClaims } from './worker_claim.ts';

const claims: readonly Claim[] = [...liveClaims, ...inputClaims, ...workerClaims, ...startClaims];

/** The claims of a name: `S9` means `S9.growing` and `S9.idle`. */
export function claimsNamed(name: string): Claim[] {
  return claims.filter(({ id }) => id === name || id.split('.')[0] === name);
}
