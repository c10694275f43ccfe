// A filter as somebody else writes it: one event at a time, as a plain object.
import { defineFilter } from 'sluice/sdk';

export const plugin = defineFilter({
  name: 'third_party_object',
  summary: 'Marks slow and failed requests.',
  stability: 'experimental',
  isStateless: true,
  schema: { type: 'object', properties: {} },
  example: '',
  create: () => ({
    filter(event) {
      const fields = event.toObject();
      const { clientip, ...rest } = fields;
      rest.outcome = Number(fields.response) >= 500 ? 'failed' : 'served';
      if (clientip !== undefined) rest.client = clientip;
      if (rest.verb === 'HEAD') delete rest.bytes;
      event.replace(rest);
    },
  }),
});
