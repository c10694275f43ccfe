import type { Source } from '../batch/source.ts';
import type { BatchFacts } from './batch_cargo.ts';
import type { PackedConfig } from './config_cargo.ts';
import type { EncodedParcel } from './run_cargo.ts';

/** A plugin by kind and name: what a worker has to import. */
export interface PluginName {
  readonly kind: string;
  readonly name: string;
}

/** What the main thread says to a worker. Messages are taken in order, one at a time. */
export type WorkerOrder =
  /** Makes the filters and encoders of a configuration. Answered by `loaded` or `refused`. */
  | {
      readonly kind: 'load';
      readonly version: number;
      readonly config: PackedConfig;
      readonly plugins: readonly PluginName[];
      readonly baseDirectory: string;
      /** The main thread has the kernel: batches come in its layout. */
      readonly hasKernel: boolean;
    }
  /** Closes a configuration that no later message names. */
  | { readonly kind: 'forget'; readonly version: number }
  /** Memory for batches on their way out and for what comes back. */
  | {
      readonly kind: 'slot';
      readonly slot: number;
      readonly cargo: SharedArrayBuffer;
      readonly results: SharedArrayBuffer;
    }
  /** A batch, packed in the slot's memory. Answered by `encoded` or `failed`. */
  | {
      readonly kind: 'batch';
      readonly parcel: number;
      readonly slot: number;
      readonly version: number;
      readonly facts: BatchFacts;
      readonly source: Omit<Source, 'ledger'>;
      /** By output: the position below which it has everything already. */
      readonly startMarks: readonly number[];
    };

/** How much a counter grew: its name, its labels as text, by how much. */
export type CounterGrowth = readonly [name: string, labels: string, growth: number];

/** What a worker says to the main thread. */
export type WorkerReport =
  | { readonly kind: 'loaded'; readonly version: number }
  | {
      readonly kind: 'refused';
      readonly version: number;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly kind: 'encoded';
      readonly parcel: number;
      readonly result: EncodedParcel;
      readonly growth: readonly CounterGrowth[];
    }
  | { readonly kind: 'failed'; readonly parcel: number; readonly message: string }
  /** Growth that no batch made. */
  | { readonly kind: 'counted'; readonly growth: readonly CounterGrowth[] }
  | { readonly kind: 'health'; readonly component: string; readonly problem: string | undefined }
  | {
      readonly kind: 'log';
      readonly component: string;
      readonly level: 'error' | 'warn' | 'info' | 'debug';
      readonly fields: Record<string, unknown>;
      readonly message: string;
    };
