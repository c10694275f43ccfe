import { timeOptions } from '../../shared/json_lines/json_lines.ts';

export const schema = {
  type: 'object',
  properties: {
    format: {
      enum: ['json_lines', 'json_pretty'],
      default: 'json_lines',
      description: 'How a record is printed: one line each, or indented.',
    },
    ...timeOptions,
  },
} as const;

export interface StdoutOptions {
  readonly format: 'json_lines' | 'json_pretty';
  readonly json_date_key?: string;
  readonly json_date_format: 'iso8601' | 'epoch' | 'epoch_ms' | 'double';
}
