import type { jsonVerifier } from 'stream-json/core/utils/verifier.js';
import { importDriver } from '../../../core/sdk/index.ts';

/** Watches what stands between the values of a body: brackets and commas. */
export class JsonSyntax {
  private readonly verify: ReturnType<typeof jsonVerifier>;
  private seen = 0;

  private constructor(verify: ReturnType<typeof jsonVerifier>) {
    this.verify = verify;
  }

  static async load(): Promise<JsonSyntax> {
    const { jsonVerifier: make } = await importDriver(
      'stream-json',
      () => import('stream-json/core/utils/verifier.js'),
    );
    return new JsonSyntax(make({ jsonStreaming: true }));
  }

  /** Reads on in a skeleton that `JsonCutter` made. When it is wrong, returns how many of its
   *  values stand before the mistake. */
  findMistake(skeleton: string): number | undefined {
    try {
      this.verify(skeleton);
    } catch (error) {
      // What the verifier throws has the offset of the mistake; see its declarations.
      const { offset } = error as { offset?: number };
      if (offset === undefined) throw error;
      return skeleton.slice(0, Math.max(0, offset - this.seen)).split('0').length - 1;
    }
    this.seen += skeleton.length;
    return undefined;
  }
}
