// What authors of plugins test with. Re-exports; nothing else.
export { assertConservation } from './conservation.ts';
export { type ScriptedInput, scriptedInput } from './scripted_input.ts';
export { type ScriptedOutput, scriptedOutput } from './scripted_output.ts';
export { type StartedPipeline, startPipeline } from './start_pipeline.ts';
export { waitUntil } from './wait_until.ts';
