import { HelperError } from '../../shared/windows_native/helper_messages.ts';
import type { HelperProgram } from '../../shared/windows_native/helper_program.ts';
import { HelperProcess, type HelperOptions } from '../../shared/windows_native/helper_process.ts';
import type { ComRequest, ComTarget } from './com/wmi_connection.ts';
import { type WmiAnswer, WmiError, type WmiRequest, type WmiSource } from './wmi_source.ts';

export type ComSourceOptions = Omit<HelperOptions, 'program'> & {
  readonly target: ComTarget;
  /** Another than our own. */
  readonly program?: HelperProgram;
};

/** WMI over COM and DCOM, out of a helper process. */
export class ComSource implements WmiSource {
  private readonly target: ComTarget;
  private readonly helper: HelperProcess;

  constructor(options: ComSourceOptions) {
    this.target = options.target;
    const program = options.program ?? {
      name: 'wmi_helper',
      module: new URL('./wmi_helper.js', import.meta.url),
    };
    this.helper = new HelperProcess({ ...options, program });
  }

  async query(request: WmiRequest, signal: AbortSignal): Promise<WmiAnswer> {
    const body: ComRequest = { ...request, target: this.target };
    try {
      // Both ends are ours.
      return (await this.helper.request(body, signal)) as WmiAnswer;
    } catch (error) {
      const isRefused = error instanceof HelperError && error.code !== undefined;
      throw isRefused ? new WmiError(error.message, error.code!) : error;
    }
  }

  close(): Promise<void> {
    return this.helper.close();
  }
}
