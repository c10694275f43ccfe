import { defineInput, messageOf, type OptionProblem } from '../../../core/sdk/index.ts';
import { parseAddress } from '../../shared/http_client/address.ts';
import { type ScrapeOptions, schema } from './config.ts';
import { ScrapeInput } from './scrape_input.ts';
import { type TargetText, targetTexts } from './target_texts.ts';

/** Scrapes pages of metrics in Prometheus' format. */
export const plugin = defineInput<ScrapeOptions>({
  name: 'prometheus_scrape',
  summary: 'Scrapes pages of metrics in Prometheus’ text format or OpenMetrics.',
  stability: 'beta',
  schema,
  example: `pipeline:
  inputs:
    - name: prometheus_scrape
      tag: metrics
      targets: ['127.0.0.1:9100', 'https://db.example/metrics']
      scrape_interval: 15s
  outputs:
    - name: stdout
      match: metrics
`,
  check: checkTargets,
  create: (options, context) => new ScrapeInput(options, context),
});

function checkTargets(options: ScrapeOptions): OptionProblem[] {
  return targetTexts(options).flatMap(({ text, path }: TargetText) => {
    try {
      parseAddress(text.replace(/\?.*$/, ''), { port: options.port, isTls: false });
      return [];
    } catch (error) {
      return [{ path, message: messageOf(error) }];
    }
  });
}
