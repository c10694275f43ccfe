import type {
  Durability,
  FullPolicy,
  LogLevel,
  serviceSchema,
  StorageType,
} from './service_options.ts';
import type { Infer } from './infer.ts';
import type { SourcePosition } from './node.ts';
import type { Secret } from './secret.ts';

/** `service` as its schema gives it. */
export type ServiceOptions = Infer<typeof serviceSchema>;

/** Settings of the agent, defaults filled in. */
export interface ServiceConfig {
  readonly flushMs: number;
  readonly graceMs: number;
  readonly logLevel: LogLevel;
  readonly logFile: string | undefined;
  readonly logFormat: 'auto' | 'json' | 'pretty';
  readonly httpServer: boolean;
  readonly httpListen: string;
  readonly httpPort: number;
  readonly httpToken: Secret | undefined;
  readonly storagePath: string;
  readonly storageType: StorageType;
  readonly storageDurability: Durability;
  readonly storageTotalLimitBytes: number;
  readonly storageWhenFull: FullPolicy;
  readonly memoryLimitBytes: number;
  /** Threads that run filters and encoders; 1: the main one. */
  readonly workers: number;
  /** `dead_letters` under `storagePath` when the file says nothing. */
  readonly deadLetterPath: string;
  readonly deadLetterLimitBytes: number;
  readonly deadLetterWhenFull: FullPolicy;
  readonly eventBytesMax: number;
  readonly hotReload: boolean;
  readonly schedulerBaseMs: number;
  readonly schedulerCapMs: number;
  readonly oldestUnacknowledgedMs: number;
  readonly healthCheck: boolean;
  readonly healthErrorsMax: number;
  readonly healthRetryFailuresMax: number;
  readonly healthPeriodMs: number;
  readonly multilineBufferLimitBytes: number;
}

export interface InputBase {
  readonly tag: string;
  /** 0 leaves the limit to the memory of the process. */
  readonly memBufLimitBytes: number;
  readonly logLevel: LogLevel | undefined;
}

export interface RoutingBase {
  /** With `*` as wildcard; `*` when the file says nothing. `matchRegex` wins over it. */
  readonly match: string;
  readonly matchRegex: string | undefined;
  readonly when: string | undefined;
  readonly logLevel: LogLevel | undefined;
}

export interface FilterBase extends RoutingBase {
  /** The input or output whose `processors` have it; undefined for those of `filters`. */
  readonly processorOf: { readonly kind: 'input' | 'output'; readonly id: string } | undefined;
}

/** What `routes` of inputs say. */
export interface Routes {
  /** By input id, then by output id: the condition, or undefined for every record. Outputs that are
   *  not named get nothing of this input. */
  readonly byInput: ReadonlyMap<string, ReadonlyMap<string, string | undefined>>;
  /** Outputs that take only what routes give them: named by one, and without `match`. */
  readonly routedOnly: ReadonlySet<string>;
}

export interface OutputBase extends RoutingBase {
  readonly retry: {
    /** The first delivery counted; Infinity when unlimited. */
    readonly maxAttempts: number;
    readonly initialMs: number;
    readonly maxMs: number;
  };
  readonly concurrency: number;
  readonly flushMs: number;
  readonly batch: {
    readonly recordsMax: number | undefined;
    readonly bytesMax: number | undefined;
  };
  readonly storage: {
    readonly type: StorageType;
    readonly path: string;
    readonly totalLimitBytes: number;
    readonly durability: Durability;
    readonly whenFull: FullPolicy;
  };
  readonly deadLetter: { readonly limitBytes: number; readonly whenFull: FullPolicy };
  readonly tls: TlsOptions;
}

export interface TlsOptions {
  readonly enabled: boolean;
  readonly verify: boolean;
  readonly verifyHostname: boolean;
  readonly caFile: string | undefined;
  readonly caPath: string | undefined;
  readonly crtFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly keyPasswd: Secret | undefined;
  readonly vhost: string | undefined;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly ciphers: string | undefined;
}

interface Component<Kind, Base> {
  readonly kind: Kind;
  /** Canonical name of the plugin. */
  readonly plugin: string;
  /** The alias, or `NAME.INDEX` where INDEX counts the components of that name. Unique among its kind. */
  readonly id: string;
  readonly alias: string | undefined;
  readonly base: Base;
  /** The plugin's own options, keys as in its schema, spellings converted, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly position: SourcePosition;
  /** Changes when anything that the component depends on in the file changes; shows no secret. */
  readonly fingerprint: string;
}

export type InputConfig = Component<'input', InputBase>;
export type FilterConfig = Component<'filter', FilterBase>;
export type OutputConfig = Component<'output', OutputBase>;
export type ComponentConfig = InputConfig | FilterConfig | OutputConfig;

export interface ParserConfig {
  readonly name: string;
  /** Canonical name of the parser plugin. */
  readonly format: string;
  /** Base options of parsers and the plugin's own together. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly position: SourcePosition;
  readonly fingerprint: string;
}

export interface MultilineRule {
  readonly state: string;
  readonly regex: string;
  readonly nextState: string;
}

export interface MultilineParserConfig {
  readonly name: string;
  readonly type: 'regex' | 'endswith' | 'equal';
  readonly matchString: string | undefined;
  readonly negate: boolean;
  readonly flushTimeoutMs: number;
  readonly keyContent: string | undefined;
  readonly keyGroup: string | undefined;
  readonly keyPattern: string | undefined;
  readonly parser: string | undefined;
  readonly rules: readonly MultilineRule[];
  readonly position: SourcePosition;
  readonly fingerprint: string;
}

export interface PluginPath {
  /** As written, variables replaced. */
  readonly text: string;
  /** Absolute path of a module; undefined for the name of a package. */
  readonly modulePath: string | undefined;
  readonly position: SourcePosition;
}

/** A pipeline file that can be run. */
export interface ResolvedConfig {
  readonly service: ServiceConfig;
  readonly env: Readonly<Record<string, string>>;
  readonly parsers: readonly ParserConfig[];
  readonly multilineParsers: readonly MultilineParserConfig[];
  readonly plugins: readonly PluginPath[];
  readonly inputs: readonly InputConfig[];
  /** Those of inputs' `processors` first, then those of `filters`, then those of outputs. */
  readonly filters: readonly FilterConfig[];
  readonly outputs: readonly OutputConfig[];
  readonly routes: Routes;
  readonly tests: readonly Readonly<Record<string, unknown>>[];
  /** Every file read, in order, as absolute paths. */
  readonly files: readonly string[];
}
