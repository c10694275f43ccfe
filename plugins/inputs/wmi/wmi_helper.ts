import { loadKoffi } from '../../shared/windows_native/load_koffi.ts';
import { serveRequests } from '../../shared/windows_native/serve_requests.ts';
import { type ComRequest, WmiOverCom } from './com/wmi_connection.ts';

// What the helper process of WMI runs.
let wmi: Promise<WmiOverCom> | undefined;
serveRequests(async (body, isCancelled) => {
  wmi ??= loadKoffi().then((koffi) => new WmiOverCom(koffi));
  // Both ends are ours.
  return (await wmi).query(body as ComRequest, isCancelled);
});
