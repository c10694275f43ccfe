import {
  JsonRecordEncoder,
  type PluginContext,
  type RecordEncoder,
} from '../../../core/sdk/index.ts';
import { OneLineSink } from '../record_sink/one_line_sink.ts';

/** How a line of JSON shows the event's time. */
export const timeOptions = {
  json_date_key: {
    type: 'string',
    description:
      'Key under which a line gets the time of its event; no time is added when absent or `false`.',
  },
  json_date_format: {
    enum: ['iso8601', 'epoch', 'epoch_ms', 'double'],
    default: 'iso8601',
    description: "Form of that time; `double` is Fluent Bit's name for `epoch`.",
  },
} as const;

export interface JsonLineOptions {
  readonly json_date_key?: string;
  readonly json_date_format: 'iso8601' | 'epoch' | 'epoch_ms' | 'double';
}

export interface JsonLineShape extends JsonLineOptions {
  sectionKey?: (batch: import('../../../core/sdk/index.ts').Batch, index: number) => string;
}

/** An encoder of one JSON object a line, whatever white space the objects came with. */
export function jsonLineEncoder(shape: JsonLineShape, context: PluginContext): RecordEncoder {
  const inner = recordEncoder(shape, context);
  const oneLine = new OneLineSink(1);
  return {
    fingerprint: inner.fingerprint,
    mixesSources: inner.mixesSources,
    encode: (batch, select, sink) => inner.encode(batch, select, oneLine.over(sink)),
    recordJson: (record) => inner.recordJson(record),
    close: () => inner.close(),
  };
}

function recordEncoder(shape: JsonLineShape, context: PluginContext): JsonRecordEncoder {
  const key = shape.json_date_key;
  const withTime = key !== undefined && key !== 'false' && key !== '';
  const form = shape.json_date_format === 'double' ? 'epoch' : shape.json_date_format;
  return new JsonRecordEncoder({
    fingerprint: JSON.stringify(['json_lines', withTime ? [key, form] : []]),
    kernel: context.kernel,
    suffix: Buffer.from('\n'),
    ...(withTime ? { time: { key, format: { form, digits: 9 } } } : {}),
    ...(shape.sectionKey === undefined ? {} : { sectionKey: shape.sectionKey }),
  });
}
