import { basicScenarios } from './basic_scenarios.ts';
import { furtherScenarios } from './further_scenarios.ts';
import { type Scenario, scenarioGroup } from './scenario.ts';

export const scenarios: readonly Scenario[] = [...basicScenarios, ...furtherScenarios];

/** The scenarios of some names: `S3` means all its variants, none means all. Throws on others. */
export function scenariosNamed(names: readonly string[]): Scenario[] {
  if (names.length === 0) return [...scenarios];
  return names.flatMap((name) => {
    const found = scenarios.filter(
      (scenario) => scenario.id === name || scenarioGroup(scenario) === name,
    );
    if (found.length > 0) return found;
    const known = scenarios.map((scenario) => scenario.id).join(', ');
    throw new Error(`There is no scenario ${name}; there are ${known}`);
  });
}
