import type { ServiceConfig } from '../config/resolved.ts';
import type { Secret } from '../config/secret.ts';

/** Settings of `service` that are taken at the start, under their names in the file. */
const settings: Readonly<Record<string, (service: ServiceConfig) => unknown>> = {
  log_level: ({ logLevel }) => logLevel,
  log_file: ({ logFile }) => logFile,
  log_format: ({ logFormat }) => logFormat,
  http_server: ({ httpServer }) => httpServer,
  http_listen: ({ httpListen }) => httpListen,
  http_port: ({ httpPort }) => httpPort,
  http_token: ({ httpToken }) => revealed(httpToken),
  memory_limit: ({ memoryLimitBytes }) => memoryLimitBytes,
  'dead_letter.path': ({ deadLetterPath }) => deadLetterPath,
  health_check: ({ healthCheck }) => healthCheck,
  hc_period: ({ healthPeriodMs }) => healthPeriodMs,
};

/** Says which changed settings a reload does not take over; undefined when there are none. */
export function lateSettings(from: ServiceConfig, to: ServiceConfig): string | undefined {
  const changed = Object.entries(settings).filter(([, read]) => read(from) !== read(to));
  if (changed.length === 0) return undefined;
  const names = changed.map(([name]) => `service.${name}`).join(', ');
  return `What changed in ${names} counts from the next start on.`;
}

function revealed(secret: Secret | undefined): string | undefined {
  return secret?.reveal();
}
