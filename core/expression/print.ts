import { formatFieldPath, type FieldPath } from '../config/field_path.ts';
import { type Expression, isLiteralList, keywords, type Literal } from './ast.ts';

/** Writes a condition so that parsing it again gives the same tree. Every operation gets parentheses. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'literal':
      return printLiteral(expression.value);
    case 'field':
      return printField(expression.field);
    case 'not':
      return `(not ${printExpression(expression.operand)})`;
    case 'negate':
      return `(-${printExpression(expression.operand)})`;
    case 'and':
    case 'or':
      return `(${printExpression(expression.left)} ${expression.kind} ${printExpression(expression.right)})`;
    case 'compare':
    case 'arithmetic':
      return `(${printExpression(expression.left)} ${expression.operator} ${printExpression(expression.right)})`;
    case 'in':
      return `(${printExpression(expression.left)} ${expression.negated ? 'not in' : 'in'} ${printList(expression.right)})`;
    case 'match':
      return `(${printExpression(expression.left)} ${expression.negated ? '!~' : '=~'} ${JSON.stringify(expression.pattern)})`;
    case 'call':
      return `${expression.name}(${expression.arguments.map(printExpression).join(', ')})`;
  }
}

function printList(list: readonly Literal[] | FieldPath): string {
  if (isLiteralList(list)) return `[${list.map(printLiteral).join(', ')}]`;
  // After `in` a bracket opens a list, unless a plain word stands in it.
  return list.literal === undefined ? printSubscripts(list) : printField(list);
}

function printLiteral(value: Literal): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return Object.is(value, -0) ? '-0' : String(value);
}

function printField(field: FieldPath): string {
  const text = formatFieldPath(field);
  if (text.startsWith('[') || text.startsWith('$')) return text;
  if (/^[\p{L}_@][\p{L}\p{N}_@]*(\.[\p{L}\p{N}_@]+)*$/u.test(text)) {
    return keywords.has(text) ? `$${text}` : text;
  }
  return field.literal === undefined ? printSubscripts(field) : `$${text}`;
}

function printSubscripts(field: FieldPath): string {
  return `$${field.keys.map((key) => `['${key.replace(/['\\]/g, '\\$&')}']`).join('')}`;
}
