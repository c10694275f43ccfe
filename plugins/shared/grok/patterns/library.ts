import { baculaPatterns } from './bacula.ts';
import { basePatterns } from './base.ts';
import { ciscoPatterns } from './cisco.ts';
import { firewallEcs, firewallLegacy } from './firewalls.ts';
import { javaEcs, javaLegacy, javaShared } from './java.ts';
import { nagiosPatterns } from './nagios.ts';
import { completeDefinitions, type FieldNaming, type PatternSet } from './notation.ts';
import { servicesEcs, servicesLegacy, servicesShared } from './services.ts';
import { systemEcs, systemLegacy, systemShared } from './system.ts';
import { webEcs, webLegacy, webShared } from './web.ts';
import { zeekPatterns } from './zeek.ts';

const built = new Map<FieldNaming, PatternSet>();

/** The pattern library of one naming. Names, captured fields and accepted lines are those of
 *  logstash-patterns-core 4.3 (`legacy`, `ecs-v1`); the expressions are Sluice's own. */
export function patternLibrary(naming: FieldNaming): PatternSet {
  let library = built.get(naming);
  if (library === undefined) {
    library = completeDefinitions(collect(naming));
    built.set(naming, library);
  }
  return library;
}

function collect(naming: FieldNaming): PatternSet {
  const legacy = naming === 'legacy';
  return {
    ...basePatterns,
    ...systemShared,
    ...webShared,
    ...javaShared,
    ...servicesShared,
    ...(legacy ? systemLegacy : systemEcs),
    ...(legacy ? webLegacy : webEcs),
    ...(legacy ? javaLegacy : javaEcs),
    ...(legacy ? servicesLegacy : servicesEcs),
    ...(legacy ? firewallLegacy : firewallEcs),
    ...ciscoPatterns(naming),
    ...nagiosPatterns(naming),
    ...baculaPatterns(naming),
    ...zeekPatterns(naming),
  };
}
