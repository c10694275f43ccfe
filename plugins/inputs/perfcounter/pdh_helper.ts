import { loadKoffi } from '../../shared/windows_native/load_koffi.ts';
import { serveRequests } from '../../shared/windows_native/serve_requests.ts';
import { PdhReader, type PdhRequest } from './pdh_reader.ts';

// What the helper process of performance counters runs: PDH loads the libraries of their makers.
let reader: Promise<PdhReader> | undefined;
serveRequests(async (body) => {
  reader ??= loadKoffi().then((koffi) => new PdhReader(koffi));
  // Both ends are ours.
  return (await reader).read(body as PdhRequest);
});
