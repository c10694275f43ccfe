import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SourceError } from '../../../core/config/source_error.ts';
import {
  compileTemplate,
  renderTemplate,
  type TemplatePart,
} from '../../../core/config/template.ts';

const text = (value: string): TemplatePart => ({ kind: 'literal', text: value });
const field = (...keys: string[]): TemplatePart => ({ kind: 'field', field: { keys } });

const templates: readonly [string, readonly TemplatePart[]][] = [
  ['', [text('')]],
  ['logs', [text('logs')]],
  [
    'logs-%{[service][name]}-%{+YYYY.MM.dd}',
    [text('logs-'), field('service', 'name'), text('-'), { kind: 'date', pattern: 'YYYY.MM.dd' }],
  ],
  ['%{host}', [field('host')]],
  ['%{a.b}', [{ kind: 'field', field: { keys: ['a', 'b'], literal: 'a.b' } }]],
  ['$TAG', [{ kind: 'tag' }]],
  ['x.$TAG[1].y', [text('x.'), { kind: 'tagPart', index: 1 }, text('.y')]],
  ['$TAGS', [field('TAGS')]],
  [
    "from.$tool.$a['b'].out",
    [text('from.'), field('tool'), text('.'), field('a', 'b'), text('.out')],
  ],
  ['costs $5 and $$x and 100%', [text('costs $5 and $x and 100%')]],
  ['%%{x}', [text('%{x}')]],
];

for (const [source, parts] of templates) {
  test(`The template ${JSON.stringify(source)} is split into its parts.`, () => {
    assert.deepEqual(compileTemplate(source).parts, parts);
  });
}

const mistakes: readonly [string, number, RegExp][] = [
  ['a-%{b', 3, /%\{ without its \}/],
  ['a-%{}', 5, /no name/],
  ['a-%{+}', 6, /empty date pattern/],
  ['a-%{[b}', 5, /\[ without its \]/],
  ['a-%{[b]c}', 8, /after a field/],
  ["a-$b['c", 6, /not closed/],
  ['$a'.repeat(65), 1, /more than 64 parts/],
];

for (const [source, column, message] of mistakes) {
  test(`The template ${JSON.stringify(source.slice(0, 12))} is refused at column ${column}.`, () => {
    assert.throws(
      () => compileTemplate(source),
      (error) => {
        assert.ok(error instanceof SourceError);
        assert.match(error.message, message);
        assert.equal(error.column, column);
        return true;
      },
    );
  });
}

test('A template knows the text that every value begins with.', () => {
  assert.equal(compileTemplate('logs-%{x}').staticPrefix, 'logs-');
  assert.equal(compileTemplate('%{x}-logs').staticPrefix, '');
  assert.equal(compileTemplate('logs').isStatic, true);
});

test('A field that a template names twice is one object in all places.', () => {
  const { parts, fields } = compileTemplate('%{a}/%{b}-%{[a]}');
  const named = parts.flatMap((part) => (part.kind === 'field' ? [part.field] : []));
  assert.equal(fields.length, 2);
  assert.ok(named.every((one) => fields.includes(one)));
});

test('A template is rendered for a record, unless a field is missing.', () => {
  const source = {
    tag: 'app.web.1',
    get: ({ keys }: { keys: readonly string[] }) => ({ n: 5, o: {} })[keys[0]!],
    formatTime: (pattern: string) => `<${pattern}>`,
  };
  assert.equal(renderTemplate(compileTemplate('$TAG[1]-%{n}-%{+YYYY}'), source), 'web-5-<YYYY>');
  assert.equal(renderTemplate(compileTemplate('$TAG'), source), 'app.web.1');
  assert.equal(renderTemplate(compileTemplate('%{gone}'), source), undefined);
  assert.equal(renderTemplate(compileTemplate('%{o}'), source), undefined);
  assert.equal(renderTemplate(compileTemplate('$TAG[9]'), source), undefined);
});

test('Any text either compiles or is refused with a column inside it.', () => {
  const unit = fc.constantFrom('a', '%', '{', '}', '$', '[', ']', "'", '+', 'TAG', '.');
  fc.assert(
    fc.property(fc.string({ unit }), (source) => {
      try {
        compileTemplate(source);
      } catch (error) {
        assert.ok(error instanceof SourceError);
        assert.ok(error.column >= 1 && error.column <= source.length + 1);
      }
    }),
  );
});
