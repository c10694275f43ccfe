// What authors of plugins test with. Re-exports; nothing else.
export { assertConservation } from './conservation.ts';
export {
  type ContractRule,
  ContractSubject,
  type ContractSurroundings,
} from './contract_subject.ts';
export { filterContract } from './filter_contract.ts';
export { inputContract } from './input_contract.ts';
export { outputContract } from './output_contract.ts';
export { lifeContract, pluginContract } from './plugin_contract.ts';
export { eventObject, eventText, randomBatch, randomNumbers } from './random_events.ts';
export { ScratchEmitter, scratchSource, scratchSources } from './scratch_sources.ts';
export { type ScriptedInput, scriptedInput } from './scripted_input.ts';
export { type ScriptedOutput, scriptedOutput } from './scripted_output.ts';
export { type StartedPipeline, startPipeline } from './start_pipeline.ts';
export { waitUntil } from './wait_until.ts';
