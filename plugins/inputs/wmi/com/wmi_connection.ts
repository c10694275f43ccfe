import { HelperError } from '../../../shared/windows_native/helper_messages.ts';
import type { Koffi } from '../../../shared/windows_native/load_koffi.ts';
import { endsConnection, wmiErrorText } from '../wmi_error_text.ts';
import type { WmiAnswer, WmiRequest, WmiRow } from '../wmi_source.ts';
import { type ComCalls, comCalls, type Pointer } from './com_calls.ts';
import { RemoteIdentity } from './remote_identity.ts';
import { VariantJson, variantBytes } from './variant_json.ts';
import { WbemMethods } from './wbem_methods.ts';

/** Where WMI is: this host, with the agent's own account, or another. */
export interface ComTarget {
  readonly host?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly domain?: string | undefined;
}

export type ComRequest = WmiRequest & { readonly target: ComTarget };

/** CLSID_WbemLocator and IID_IWbemLocator (wbemcli.h), as GUIDs lie in memory. */
const locatorClass = Buffer.from('11f890453a1dd011891f00aa004b2e24', 'hex');
const locatorInterface = Buffer.from('87a612dc7f73cf11884d00aa004b2e24', 'hex');
const inProcess = 1;
const multithreaded = 0;
const impersonate = 3;
const useMaxWait = 0x80;
/** Forward only, return immediately: rows come while the provider makes them. */
const streamed = 0x30;
const nonSystemOnly = 0x40;
const timedOut = 0x40004;
const noMoreData = 0x40005;
const packetPrivacy = 6;
const defaultAuthentication = 0xffffffff;
const rowsAtOnce = 32;
/** Between two looks whether anyone still waits. */
const sliceMs = 1000;
/** Of one answer, so that a process' memory has a limit. */
const answerBytesMax = 64 * 1024 * 1024;

/** WMI over COM, in a process that does nothing else. */
export class WmiOverCom {
  private readonly com: ComCalls;
  private readonly methods: WbemMethods;
  private readonly values: VariantJson;
  private readonly connections = new Map<string, Promise<Connection>>();

  constructor(koffi: Koffi) {
    this.com = comCalls(koffi);
    this.methods = new WbemMethods(koffi);
    this.values = new VariantJson(koffi, this.com);
    this.com.initialize(null, multithreaded);
    this.com.initializeSecurity(null, -1, null, null, 0, impersonate, null, 0, null);
  }

  /** Errors: HelperError with WMI's code. */
  async query(request: ComRequest, isCancelled: () => boolean): Promise<WmiAnswer> {
    const key = JSON.stringify([request.target, request.namespace]);
    const found = this.connections.get(key) ?? this.connect(request);
    this.connections.set(key, found);
    try {
      const connection = await found;
      return await this.read(connection, request, isCancelled);
    } catch (error) {
      const isGone = !(error instanceof HelperError) || endsConnection(error.code ?? 0);
      // What did not open is not kept either; a connection that others use lives on until they end.
      const failed = await found.then(() => isGone).catch(() => true);
      if (failed && this.connections.get(key) === found) this.connections.delete(key);
      throw error;
    }
  }

  private async connect({ target, namespace }: ComRequest): Promise<Connection> {
    const { com, methods } = this;
    const out: Pointer[] = [null];
    const code = com.createInstance(locatorClass, null, inProcess, locatorInterface, out) >>> 0;
    check('CoCreateInstance', code);
    const locator = out[0]!;
    const identity = RemoteIdentity.of(com, target);
    const path = target.host === undefined ? namespace : `\\\\${target.host}\\${namespace}`;
    const text = (value: string | undefined): Pointer =>
      value === undefined ? null : com.allocateText(value);
    const texts = [text(path), text(identity?.account), text(identity && target.password)];
    const [pathText, user, password] = texts;
    const services: Pointer[] = [null];
    try {
      const answer = await methods.callAsync(
        locator,
        'connectServer',
        ...[pathText, user, password, null, useMaxWait, null, null, services],
      );
      check('ConnectServer', answer);
    } finally {
      for (const text of texts) if (text) com.freeText(text);
      methods.call(locator, 'release');
    }
    const isRemote = target.host !== undefined;
    const connection = { services: services[0]!, identity, isRemote };
    this.secure(connection.services, connection);
    return connection;
  }

  /** Lets calls through an interface act for us; those of other hosts are encrypted. */
  private secure(proxy: Pointer, { identity, isRemote }: Connection): void {
    const level = isRemote ? packetPrivacy : 0;
    const account = identity?.bytes ?? null;
    const any = defaultAuthentication;
    this.com.setProxyBlanket(proxy, any, any, null, level, impersonate, account, 0);
  }

  private async read(
    connection: Connection,
    request: ComRequest,
    isCancelled: () => boolean,
  ): Promise<WmiAnswer> {
    const { com, methods } = this;
    const endsAtMs = performance.now() + request.timeoutMs;
    const language = com.allocateText('WQL');
    const text = com.allocateText(request.wql);
    const out: Pointer[] = [null];
    try {
      const code = await methods.callAsync(
        connection.services,
        'execQuery',
        ...[language, text, streamed, null, out],
      );
      check('ExecQuery', code);
    } finally {
      com.freeText(language);
      com.freeText(text);
    }
    const objects = out[0]!;
    try {
      this.secure(objects, connection);
      return await this.rows(objects, request, () => isCancelled() || performance.now() > endsAtMs);
    } finally {
      methods.call(objects, 'release');
    }
  }

  private async rows(
    objects: Pointer,
    { rowsMax, properties }: ComRequest,
    isOver: () => boolean,
  ): Promise<WmiAnswer> {
    const spelling = new Map(properties.map((name) => [name.toLowerCase(), name]));
    const rows: WmiRow[] = [];
    let bytes = 0;
    for (;;) {
      const handles = Buffer.alloc(8 * rowsAtOnce);
      const count = [0];
      const code = await this.methods.callAsync(
        objects,
        'nextObjects',
        ...[sliceMs, rowsAtOnce, handles, count],
      );
      check('Next', code);
      let isCut = false;
      for (let at = 0; at < count[0]!; at++) {
        const object = handles.readBigUInt64LE(8 * at);
        isCut ||= rows.length >= rowsMax || bytes > answerBytesMax;
        try {
          if (isCut) continue;
          const row = this.row(object, spelling);
          bytes += row.properties.length;
          rows.push(row);
        } finally {
          this.methods.call(object, 'release');
        }
      }
      const isEnd = code !== timedOut && (code !== 0 || count[0] === 0);
      if (isEnd || isCut) return { rows, isCut };
      if (isOver()) throw new HelperError('the provider gave no rows in time');
    }
  }

  private row(object: Pointer, spelling: ReadonlyMap<string, string>): WmiRow {
    const { com, methods, values } = this;
    const variant = Buffer.alloc(variantBytes);
    const name: Pointer[] = [null];
    const cim = [0];
    const flavor = [0];
    let className = '';
    if (methods.call(object, 'get', '__CLASS', 0, variant, cim, flavor) === 0) {
      // A text, or null.
      className = (JSON.parse(values.json(variant, cim[0]!)) as string | null) ?? '';
      com.clearVariant(variant);
    }
    check('BeginEnumeration', methods.call(object, 'beginEnumeration', nonSystemOnly));
    const members: string[] = [];
    for (;;) {
      variant.fill(0);
      const code = methods.call(object, 'nextProperty', 0, name, variant, cim, flavor);
      if (code === noMoreData) break;
      check('reading a property', code);
      const given = values.text(name[0]!);
      const key = spelling.get(given.toLowerCase()) ?? given;
      members.push(`${JSON.stringify(key)}:${values.json(variant, cim[0]!)}`);
      com.freeText(name[0]!);
      com.clearVariant(variant);
    }
    methods.call(object, 'endEnumeration');
    return { class: className, properties: `{${members.join(',')}}` };
  }
}

interface Connection {
  readonly services: Pointer;
  readonly identity: RemoteIdentity | undefined;
  readonly isRemote: boolean;
}

function check(what: string, code: number): void {
  if (code >= 0x80000000) throw new HelperError(wmiErrorText(what, code), code);
}
