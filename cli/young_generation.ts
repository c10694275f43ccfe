import { setFlagsFromString } from 'node:v8';

/** Versions of Node whose V8 is known to have the flag; it writes to standard error where not. */
const knownMajors = [20, 22];

/** Keeps V8 from growing the space of young objects to 48 MB: records are not JavaScript objects,
 *  so there is little to gain. Measured on an access log: 18 MB less, the same CPU time. */
export function keepYoungGenerationSmall(): void {
  const major = Number(process.versions.node.split('.')[0]);
  if (knownMajors.includes(major)) setFlagsFromString('--semi-space-growth-factor=1');
}
