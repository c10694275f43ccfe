// A filter as somebody else writes it: one event at a time, through the view.
import { defineFilter } from 'sluice/sdk';

export const plugin = defineFilter({
  name: 'third_party_view',
  summary: 'Marks slow and failed requests.',
  stability: 'experimental',
  isStateless: true,
  schema: { type: 'object', properties: {} },
  example: '',
  create: () => ({
    filter(event) {
      const status = Number(event.get('response'));
      event.set('outcome', status >= 500 ? 'failed' : 'served');
      event.rename('clientip', 'client');
      if (event.get('verb') === 'HEAD') event.remove('bytes');
    },
  }),
});
