import { join } from 'node:path';
import { messageOf } from '../../../core/errors/sluice_error.ts';
import { eventType, openEventWriter } from '../../../plugins/shared/windows_native/event_writer.ts';
import type { CommandCall } from '../../command.ts';
import { exitCode } from '../../exit_codes.ts';
import { ServiceLog } from './service_log.ts';
import { ServiceSession } from './service_session.ts';

/** In the directory of the agent, where the pipeline file names no other with `log_file`. */
const logName = 'sluice.log';

/** Runs the agent for the service control manager. Whether it is started again is told by how it
 *  ends: with an exit code of its own where another start would change nothing (a pipeline file that is wrong),
 *  without a word where it failed. */
export async function runAsService(
  name: string,
  call: CommandCall,
  work: (call: CommandCall, session: ServiceSession) => Promise<number>,
): Promise<number> {
  const session = process.platform === 'win32' ? await ServiceSession.begin(name) : undefined;
  if (session === undefined) {
    call.stderr.write(
      'error: --service is for the service control manager of Windows: leave it out, or use "sluice service start".\n',
    );
    return exitCode.usage;
  }
  const path = join(process.cwd(), logName);
  const log = new ServiceLog(path);
  process.on('uncaughtExceptionMonitor', (error) => log.write(`error: ${error.stack}\n`));
  let code: number;
  try {
    code = await work({ ...call, stderr: log }, session);
  } catch (error) {
    log.write(`error: ${messageOf(error)}\n`);
    code = exitCode.failure;
  }
  if (code !== exitCode.ok) await reportEnd(name, code, path, log.recent);
  await session.close(code);
  // What hangs (a library's thread) must not make the manager wait for a process that has ended.
  process.exit(code);
}

/** Says in the Event Log, where an administrator looks first, that the service has failed. */
async function reportEnd(name: string, code: number, path: string, recent: string): Promise<void> {
  const text = `The service ${name} ended with code ${code}. Its log is ${path}, or what log_file of its pipeline file names. The last lines:\r\n\r\n${recent}`;
  try {
    const writer = await openEventWriter({ source: { log: 'Application', name }, register: false });
    await writer.write({ type: eventType.error, id: 2, text });
    writer.close();
  } catch {
    // The log file has it.
  }
}
