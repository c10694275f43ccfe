import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../../core/sdk/index.ts';
import { TextTemplate } from '../../../plugins/shared/values/text_template.ts';

describe('a text with references', () => {
  // Nothing is asked of the batch where no reference stands.
  const none = {} as Batch;

  for (const [text, rendered] of [
    ['', ''],
    ['100%', '100%'],
    ['%%{message}', '%{message}'],
    ['a$b %%{x} $$', 'a$b %{x} $$'],
  ] as const) {
    it(`renders ${JSON.stringify(text)} without a reference once`, () => {
      const template = new TextTemplate(text);
      assert.equal(template.constant, rendered);
      assert.equal(template.render(none, 0), rendered);
    });
  }
});
