import type { InputContext } from '../../../../core/sdk/index.ts';
import { HttpClient } from '../../../shared/http_client/http_client.ts';
import { clientTls } from '../../../shared/tls/client_options.ts';
import { openClientTls } from '../../../shared/tls/tls_client.ts';
import type { WmiOptions } from '../config.ts';
import type { WmiAnswer, WmiRequest, WmiRow, WmiSource } from '../wmi_source.ts';
import { readAnswer, readFault, type WinrmPage } from './answer.ts';
import {
  type EnvelopeTarget,
  enumerateEnvelope,
  pullEnvelope,
  releaseEnvelope,
} from './envelope.ts';
import { WinrmSession } from './winrm_session.ts';

/** Connections that rest, at most. */
const restingMax = 4;
const connectMs = 15_000;

/** WMI of another host over WinRM. Reads the files of `tls.*`. Errors: SLUICE_OPTION_INVALID. */
export async function openWinrm(options: WmiOptions, context: InputContext): Promise<WmiSource> {
  const port = options.port ?? (options.tls ? 5986 : 5985);
  const host = options.host ?? '';
  const name = host.includes(':') ? `[${host}]` : host;
  const origin = `${options.tls ? 'https' : 'http'}://${name}:${port}`;
  const tls = options.tls ? await openClientTls(clientTls(options), context) : undefined;
  const openSession = (): WinrmSession =>
    new WinrmSession({
      client: new HttpClient({
        origin,
        connectTimeoutMs: connectMs,
        // The schedule has the deadline, and aborts.
        responseTimeoutMs: 24 * 3_600_000,
        connectionsMax: 1,
        clock: context.clock,
        ...(tls === undefined ? {} : { tls }),
      }),
      path: options.path,
      account: {
        username: options.username ?? '',
        password: options.password?.reveal() ?? '',
        domain: options.domain,
      },
      authentication: options.authentication,
      service: `HTTP/${host}`,
      isSealed: !options.tls,
    });
  return new WinrmSource(origin + options.path, openSession);
}

class WinrmSource implements WmiSource {
  private readonly to: string;
  private readonly openSession: () => WinrmSession;
  private readonly resting: WinrmSession[] = [];

  constructor(to: string, openSession: () => WinrmSession) {
    this.to = to;
    this.openSession = openSession;
  }

  async query(request: WmiRequest, signal: AbortSignal): Promise<WmiAnswer> {
    const session = this.resting.pop() ?? this.openSession();
    try {
      const answer = await this.rows(session, request, signal);
      if (this.resting.length < restingMax) this.resting.push(session);
      else await session.close();
      return answer;
    } catch (error) {
      // Its connection may be in the middle of anything.
      await session.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.resting.splice(0).map((session) => session.close()));
  }

  private async rows(
    session: WinrmSession,
    { namespace, wql, properties, rowsMax, timeoutMs }: WmiRequest,
    signal: AbortSignal,
  ): Promise<WmiAnswer> {
    const spelling = new Map(properties.map((name) => [name.toLowerCase(), name]));
    const target: EnvelopeTarget = { to: this.to, namespace, timeoutMs };
    const ask = async (envelope: string): Promise<WinrmPage> => {
      const { status, text } = await session.send(envelope, signal);
      if (status !== 200) throw readFault(status, text);
      return readAnswer(text, spelling);
    };
    const rows: WmiRow[] = [];
    let page = await ask(enumerateEnvelope(target, wql));
    for (;;) {
      const room = rowsMax - rows.length;
      rows.push(...page.rows.slice(0, room));
      const { context } = page;
      const isCut = page.rows.length > room || (room === page.rows.length && context !== undefined);
      if (context === undefined) return { rows: named(rows, wql), isCut };
      if (isCut) {
        await session.send(releaseEnvelope(target, context), signal);
        return { rows: named(rows, wql), isCut };
      }
      page = await ask(pullEnvelope(target, context));
    }
  }
}

/** A row of a projection does not say its class; then it is the one that was asked for. */
function named(rows: readonly WmiRow[], wql: string): readonly WmiRow[] {
  const asked = /\bfrom\s+([A-Za-z_]\w*)/i.exec(wql)?.[1] ?? '';
  return rows.map((row) => (row.class === '' ? { ...row, class: asked } : row));
}
