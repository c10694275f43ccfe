import type { ContractRule } from './contract_subject.ts';
import { componentOf, lifeContract, pluginContract, soon } from './plugin_contract.ts';
import { ScratchEmitter } from './scratch_sources.ts';

/** What every input must pass: `check` each rule with a `ContractSubject`. */
export const inputContract: readonly ContractRule[] = [
  ...pluginContract,
  ...lifeContract,
  {
    says: 'ends when it is asked to, right after its start and in the middle',
    async check(subject) {
      const { factory, sources } = subject.makeFactory();
      for (const isEarly of [true, false]) {
        const input = factory.input(componentOf(subject, 'input'), sources);
        const stop = new AbortController();
        await input.open?.();
        if (isEarly) stop.abort();
        const running = input.run(new ScratchEmitter(), stop.signal);
        if (!isEarly) setImmediate(() => stop.abort());
        await soon('The end of run', running);
        await soon('close', input.close?.() ?? Promise.resolve());
      }
    },
  },
];
