import {
  type Batch,
  type Column,
  JsonValidator,
  type PluginContext,
} from '../../../core/sdk/index.ts';

/** Narrows a batch's selection for a while. The kernel reads `batch.select`, so the narrower
 *  choice has to stand there. */
export class Selection {
  private saved = new Uint8Array(0);

  /** Remembers what is selected. */
  save(batch: Batch): void {
    if (this.saved.length < batch.capacity) this.saved = new Uint8Array(batch.capacity);
    this.saved.set(batch.select.subarray(0, batch.count));
  }

  restore(batch: Batch): void {
    batch.select.set(this.saved.subarray(0, batch.count));
  }

  /** What was selected when saved. */
  was(index: number): boolean {
    return this.saved[index] === 1;
  }
}

/** Says which values of a column are JSON objects, a whole batch at a time. */
export class JsonColumnValidator {
  private readonly validator: JsonValidator;

  constructor(kernel: PluginContext['kernel']) {
    this.validator = new JsonValidator(kernel);
  }

  /** Looks at the events with `batch.select[i] === 1`, whose value must be a text in the batch's
   *  bytes. The result, 1 or 0 an event, holds until the next call. */
  validateJsonColumn(batch: Batch, column: Column): Uint8Array {
    this.validator.validate(batch, column.start, column.end);
    return this.validator.valid;
  }

  /** Where the kernel keeps the members of the objects it just found, as `memberLists` of a batch
   *  has it. */
  get memberLists(): Int32Array {
    return this.validator.lists;
  }

  close(): void {
    this.validator.close();
  }
}
