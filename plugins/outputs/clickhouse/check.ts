import { compileTemplate, messageOf, type OptionProblem } from '../../../core/sdk/index.ts';
import { parseAddress } from '../../shared/http_client/address.ts';
import { isStaticName, namePieces, staticPrefix } from '../../shared/record_name/name_piece.ts';
import { compileColumnType } from '../../shared/row_binary/compile_type.ts';
import { type ClickHouseOptions, columnList } from './config.ts';

/** What the schema cannot say of the options. */
export function checkOptions(options: ClickHouseOptions): OptionProblem[] {
  return [...checkHosts(options), ...checkTable(options), ...checkColumns(options)];
}

function checkHosts(options: ClickHouseOptions): OptionProblem[] {
  const key = options.hosts === undefined ? 'host' : 'hosts';
  return (options.hosts ?? [options.host]).flatMap((host) => {
    const message = failureOf(() => parseAddress(host, { port: options.port, isTls: false }));
    return message === undefined ? [] : [{ path: [key], message }];
  });
}

function checkTable(options: ClickHouseOptions): OptionProblem[] {
  const problem = (message: string): OptionProblem[] => [{ path: ['table'], message }];
  try {
    const pieces = namePieces(compileTemplate(options.table));
    if (isStaticName(pieces)) return [];
    const prefix = staticPrefix(pieces);
    if (prefix === '') {
      return problem(
        'The name begins with a reference, so that a record could name any table: put a fixed text before it, such as "logs_".',
      );
    }
    if (prefix.length > 100) return problem("The name's fixed part is longer than 100 characters.");
    return [];
  } catch (error) {
    return problem(messageOf(error));
  }
}

function checkColumns(options: ClickHouseOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const columns = columnList(options);
  const isBinary = options.format === 'row_binary';
  if (columns.length === 0 && (isBinary || options.create_table)) {
    const path = [isBinary ? 'format' : 'create_table'];
    problems.push({ path, message: 'This needs `columns` with their types.' });
  }
  const names = new Set<string>();
  for (const [index, { name, type }] of columns.entries()) {
    const path = ['columns', Array.isArray(options.columns) ? String(index) : name];
    if (names.has(name)) problems.push({ path, message: `The column ${name} is there twice.` });
    names.add(name);
    let isKnown = true;
    const message = failureOf(() => {
      isKnown = compileColumnType(type) !== undefined;
    });
    if (message !== undefined) problems.push({ path, message });
    else if (!isKnown && isBinary) {
      const message = `The type ${type} cannot be sent with row_binary: use json_each_row.`;
      problems.push({ path, message });
    }
  }
  return problems;
}

function failureOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
