import { SluiceError } from '../../core/errors/sluice_error.ts';
import type { Command, CommandCall } from '../command.ts';
import { exitCode } from '../exit_codes.ts';
import { loadPipeline } from '../pipeline_config.ts';
import type { ServiceHost } from '../service/service_host.ts';
import { SystemdService } from '../service/systemd_service.ts';
import { systemdUnit } from '../service/systemd_unit.ts';
import { serviceName, unitPlan } from '../service/unit_plan.ts';
import { textOption, usageError } from '../usage_error.ts';

/** Of `status`, as systemctl has it. */
const notRunningCode = 3;

/** `sluice service VERB`: lets the machine's service manager run the agent. */
export const service: Command = {
  name: 'service',
  summary: 'Installs the agent as a service of this machine, and starts and stops it.',
  usage: 'sluice service install FILE... | start | stop | status | uninstall [OPTION...]',
  options: {
    name: { type: 'string', help: 'Name of the service: "sluice" when absent.' },
    description: { type: 'string', help: 'What the service manager shows of it.' },
    print: { type: 'boolean', help: 'Shows what install would write, and writes nothing.' },
    root: { type: 'string', help: 'Writes below this directory: for images. Starts nothing.' },
    user: { type: 'string', help: "Account to run as; one of systemd's making when absent." },
    group: { type: 'string', multiple: true, help: 'Further group, such as adm for /var/log.' },
    writable: { type: 'string', multiple: true, help: 'Directory that outputs may write.' },
    'read-all': { type: 'boolean', help: 'Lets the agent read files of every owner.' },
  },
  async run(call) {
    const [verb, ...files] = call.positionals;
    if (verb === undefined) return usageError(call, service, 'say what to do with the service');
    const name = serviceName(textOption(call, 'name') ?? 'sluice');
    if (verb === 'install') return await install(name, files, call);
    const host = hostOf(name, call);
    switch (verb) {
      case 'start':
        host.start();
        return said(call, `${name} runs.`);
      case 'stop':
        host.stop();
        return said(call, `${name} stopped.`);
      case 'status': {
        const { text, isInstalled, isRunning } = host.status();
        said(call, isInstalled ? text : `${name} is not installed.`);
        return isRunning ? exitCode.ok : notRunningCode;
      }
      case 'uninstall':
        return said(call, `${host.uninstall()} is removed; the data of the agent stay.`);
      default:
        return usageError(call, service, `"${verb}" is nothing that can be done with a service`);
    }
  },
};

async function install(name: string, files: readonly string[], call: CommandCall): Promise<number> {
  if (files.length === 0) return usageError(call, service, 'name at least one pipeline file');
  const loaded = await loadPipeline(files);
  if (!loaded.ok) {
    call.stderr.write(loaded.text);
    return exitCode.configuration;
  }
  const plan = unitPlan(name, files, loaded.pipeline, call);
  if (plan.watchdogSeconds === undefined) {
    call.stderr.write(
      'warning: systemd-notify is not in PATH: systemd will not know when the agent is ready, and has no watchdog.\n',
    );
  }
  const unit = systemdUnit(plan);
  if (call.values['print'] === true) {
    call.stdout.write(unit);
    return exitCode.ok;
  }
  const path = hostOf(name, call).install(unit);
  return said(call, `${path} is written and starts with the machine; "sluice service start" now.`);
}

function hostOf(name: string, call: CommandCall): ServiceHost {
  if (process.platform === 'linux') return new SystemdService(name, textOption(call, 'root'));
  throw new SluiceError(
    'SLUICE_SERVICE_FAILED',
    `Services of ${process.platform} are not supported: let what starts programs there run "sluice run FILE".`,
  );
}

function said(call: CommandCall, text: string): number {
  call.stdout.write(`${text}\n`);
  return exitCode.ok;
}
