import type { AppendOutcome, StoredChunk } from './disk_buffer.ts';

/** An append that waits for its turn. */
export interface AppendRequest {
  readonly header: Buffer;
  readonly body: readonly Buffer[];
  /** Of the whole record. */
  readonly bytes: number;
  /** What made room for it. */
  dropped: StoredChunk[];
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: Error) => void;
}
