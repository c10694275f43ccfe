// What embeds Sluice in another program: load a pipeline, start an agent. Re-exports; nothing else.
export { type Diagnostic, formatDiagnostic } from './config/diagnostic.ts';
export { type LoadOptions, type LoadResult, loadConfig } from './config/load.ts';
export type { ResolvedConfig } from './config/resolved.ts';
export { SluiceError } from './errors/sluice_error.ts';
export { type Kernel, loadKernel } from './kernel/kernel.ts';
export { createLog, silentLog } from './telemetry/log.ts';
export { Metrics } from './telemetry/metrics.ts';
export { systemClock } from './time/clock.ts';
export { Agent, type AgentOptions } from './topology/agent.ts';
export type { StopReport } from './topology/stop_report.ts';
export type { PluginSet } from './topology/component_factory.ts';
