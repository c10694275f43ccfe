import { resolve } from 'node:path';
import { SluiceError } from '../../core/errors/sluice_error.ts';
import type { Command, CommandCall } from '../command.ts';
import { exitCode } from '../exit_codes.ts';
import { loadPipeline, type LoadedPipeline } from '../pipeline_config.ts';
import { programWords } from '../service/program_words.ts';
import type { ServiceHost } from '../service/service_host.ts';
import { SystemdService } from '../service/systemd_service.ts';
import { systemdUnit } from '../service/systemd_unit.ts';
import { serviceName, unitPlan } from '../service/unit_plan.ts';
import { planText, windowsPlan } from '../service/windows/windows_plan.ts';
import { textOption, usageError } from '../usage_error.ts';

/** Of `status`, as systemctl has it. */
const notRunningCode = 3;

/** `sluice service VERB`: lets the machine's service manager run the agent. */
export const service: Command = {
  name: 'service',
  summary: 'Installs the agent as a service of this machine, and starts and stops it.',
  usage: 'sluice service install FILE... | start | stop | reload | status | uninstall [OPTION...]',
  options: {
    name: { type: 'string', help: 'Name of the service: "sluice" when absent.' },
    description: { type: 'string', help: 'What the service manager shows of it.' },
    print: { type: 'boolean', help: 'Shows what install would do, and does nothing.' },
    user: { type: 'string', help: 'Account to run as; one made for the service when absent.' },
    root: {
      type: 'string',
      help: 'Linux: writes below this directory, for images; starts nothing.',
    },
    group: { type: 'string', multiple: true, help: 'Linux: a further group, such as adm.' },
    writable: { type: 'string', multiple: true, help: 'Linux: a directory outputs may write.' },
    'read-all': { type: 'boolean', help: 'Linux: lets the agent read files of every owner.' },
    update: {
      type: 'boolean',
      help: 'Windows: gives an installed service these pipeline files; its account and start stay.',
    },
    directory: { type: 'string', help: 'Windows: for its files; %ProgramData%\\NAME when absent.' },
    'display-name': { type: 'string', help: 'Windows: the name that the Services window shows.' },
    'start-type': {
      type: 'string',
      help: 'Windows: delayed, auto or manual; delayed when absent.',
    },
    'password-env': { type: 'string', help: "Windows: variable that holds the user's password." },
    'event-source': { type: 'string', help: 'Windows: a source of the Event Log to register.' },
  },
  async run(call) {
    const [verb, ...files] = call.positionals;
    if (verb === undefined) return usageError(call, service, 'say what to do with the service');
    const name = serviceName(textOption(call, 'name') ?? 'sluice');
    refuseForeign(call);
    if (verb === 'install') return await install(name, files, call);
    if (!isVerb(verb)) {
      return usageError(call, service, `"${verb}" is nothing that can be done with a service`);
    }
    const host = await hostOf(name, call);
    switch (verb) {
      case 'start':
        await host.start();
        return said(call, `${name} runs.`);
      case 'stop':
        await host.stop();
        return said(call, `${name} stopped.`);
      case 'reload':
        await host.reload();
        return said(call, `${name} reads its pipeline files again; its log says what came of it.`);
      case 'status': {
        const { text, isInstalled, isRunning } = await host.status();
        said(call, isInstalled ? text : `${name} is not installed.`);
        return isRunning ? exitCode.ok : notRunningCode;
      }
      case 'uninstall':
        return said(call, `${await host.uninstall()} is removed; the data of the agent stay.`);
    }
  },
};

const verbs = ['start', 'stop', 'reload', 'status', 'uninstall'] as const;

function isVerb(text: string): text is (typeof verbs)[number] {
  return (verbs as readonly string[]).includes(text);
}

/** Options of another system would silently do nothing. Errors: SLUICE_OPTION_INVALID. */
function refuseForeign(call: CommandCall): void {
  const here = process.platform === 'win32' ? 'Windows' : 'Linux';
  for (const [name, { help }] of Object.entries(service.options)) {
    const system = /^(Linux|Windows):/.exec(help)?.[1];
    if (call.values[name] === undefined || system === undefined || system === here) continue;
    throw new SluiceError('SLUICE_OPTION_INVALID', `--${name} is for services of ${system}.`);
  }
}

async function install(name: string, files: readonly string[], call: CommandCall): Promise<number> {
  if (files.length === 0) return usageError(call, service, 'name at least one pipeline file');
  const loaded = await loadPipeline(files);
  if (!loaded.ok) {
    call.stderr.write(loaded.text);
    return exitCode.configuration;
  }
  if (process.platform === 'win32')
    return await installOnWindows(name, files, loaded.pipeline, call);
  return installUnit(name, files, loaded.pipeline, call);
}

function installUnit(
  name: string,
  files: readonly string[],
  pipeline: LoadedPipeline,
  call: CommandCall,
): number {
  const plan = unitPlan(name, files, pipeline, call);
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
  const path = systemd(name, call).install(unit);
  return said(call, `${path} is written and starts with the machine; "sluice service start" now.`);
}

async function installOnWindows(
  name: string,
  files: readonly string[],
  pipeline: LoadedPipeline,
  call: CommandCall,
): Promise<number> {
  const passwordVariable = textOption(call, 'password-env');
  const plan = windowsPlan({
    name,
    displayName: textOption(call, 'display-name'),
    description: textOption(call, 'description'),
    directory: textOption(call, 'directory'),
    account: textOption(call, 'user'),
    passwordVariable,
    start: textOption(call, 'start-type'),
    eventSource: textOption(call, 'event-source'),
    program: programWords(),
    pipelineFiles: files.map((file) => resolve(file)),
    graceMs: pipeline.config.service.graceMs,
    programData: process.env['ProgramData'] ?? 'C:\\ProgramData',
  });
  if (call.values['print'] === true) {
    call.stdout.write(planText(plan));
    return exitCode.ok;
  }
  const { WindowsService } = await import('../service/windows/windows_service.ts');
  const warn = (notes: readonly string[]): void => {
    for (const note of notes) call.stderr.write(`warning: ${note}\n`);
  };
  if (call.values['update'] === true) {
    warn(await (await WindowsService.named(name)).update(plan));
    return said(call, `The service ${name} has these files at its next start.`);
  }
  const password = passwordVariable === undefined ? undefined : process.env[passwordVariable];
  if (passwordVariable !== undefined && password === undefined) {
    throw new SluiceError('SLUICE_OPTION_INVALID', `The variable ${passwordVariable} is not set.`);
  }
  warn((await WindowsService.named(name)).install(plan, password));
  return said(call, `The service ${name} is installed; "sluice service start" now.`);
}

async function hostOf(name: string, call: CommandCall): Promise<ServiceHost> {
  if (process.platform !== 'win32') return systemd(name, call);
  const { WindowsService } = await import('../service/windows/windows_service.ts');
  return await WindowsService.named(name, textOption(call, 'event-source'));
}

function systemd(name: string, call: CommandCall): SystemdService {
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
