import { HelperError } from '../../../plugins/shared/windows_native/helper_messages.ts';
import { loadKoffi } from '../../../plugins/shared/windows_native/load_koffi.ts';
import { serveRequests } from '../../../plugins/shared/windows_native/serve_requests.ts';

// Stands for a helper whose calls hang, crash or fail: what a provider of somebody else does on a
// bad day, which a sound machine cannot be asked for. `hang` is a native call that never comes back.
serveRequests(async (body, isCancelled) => {
  const { wql: word } = body as { readonly wql: string };
  if (word.includes('crash')) process.kill(process.pid, 'SIGKILL');
  if (word.includes('denied')) throw new HelperError('access is denied', 0x80041003);
  if (word.includes('hang')) {
    const koffi = await loadKoffi();
    const [library, name] =
      process.platform === 'win32'
        ? (['kernel32.dll', 'Sleep'] as const)
        : ([null, 'sleep'] as const);
    const sleep = koffi.load(library as never).func(name, 'int', ['uint32_t']);
    await new Promise((resolve) => sleep.async(4_000_000, resolve));
  }
  while (word.includes('slow') && !isCancelled()) await new Promise((next) => setTimeout(next, 5));
  const properties = JSON.stringify({ word, pid: process.pid });
  return { rows: [{ class: 'Fake', properties }], isCut: word.includes('cut') };
});
