import type { Agent } from './agent.ts';

/** Metrics of the process as a whole. */
export function addAgentGauges(agent: Agent): void {
  const metrics = agent.metrics.forComponent('agent', 'agent');
  metrics.gauge('sluice_memory_bytes', () => agent.budget.usedBytes);
  metrics.gauge('sluice_memory_limit_bytes', () => agent.budget.limitBytes);
  metrics.gauge('sluice_uptime_seconds', () => agent.uptimeSeconds());
  metrics.gauge('sluice_process_resident_bytes', () => process.memoryUsage.rss());
  metrics.gauge('sluice_process_cpu_seconds_total', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
}
