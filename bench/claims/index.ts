import type { Claim } from './claim.ts';
import { inputClaims } from './input_claims.ts';
import { liveClaims } from './live_claims.ts';

const claims: readonly Claim[] = [...liveClaims, ...inputClaims];

/** The claims of a name: `S9` means `S9.growing` and `S9.idle`. */
export function claimsNamed(name: string): Claim[] {
  return claims.filter(({ id }) => id === name || id.split('.')[0] === name);
}
