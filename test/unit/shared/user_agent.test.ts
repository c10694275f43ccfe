import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { UserAgentData } from '../../../plugins/shared/user_agent/data.ts';
import { digitsRelaxed } from '../../../plugins/shared/user_agent/digit_free.ts';
import {
  loadUserAgentParser,
  UserAgentParser,
} from '../../../plugins/shared/user_agent/user_agent_parser.ts';
import { requiredPieces, userAgentsFile } from '../../../scripts/generate_user_agents.ts';
import { projectRoot } from '../../../scripts/project_root.ts';
import { emptyBatch, testSource } from '../kernel/batches.ts';

const cases: readonly (readonly [agent: string, expected: unknown])[] = [
  [
    'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
    {
      name: 'Firefox',
      version: '127.0',
      os: { name: 'Linux', full: 'Linux' },
      device: { name: 'Other' },
    },
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
    {
      name: 'Chrome',
      version: '120.0.0',
      os: { name: 'Windows', version: '10', full: 'Windows 10' },
      device: { name: 'Other' },
    },
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.51',
    {
      name: 'Edge',
      version: '124.0.2478',
      os: { name: 'Windows', version: '10', full: 'Windows 10' },
      device: { name: 'Other' },
    },
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1',
    {
      name: 'Mobile Safari',
      version: '17.4',
      os: { name: 'iOS', version: '17.4', full: 'iOS 17.4' },
      device: { name: 'iPhone' },
    },
  ],
  [
    'Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36',
    {
      name: 'Chrome Mobile',
      version: '124.0.0',
      os: { name: 'Android', version: '14', full: 'Android 14' },
      device: { name: 'Pixel 8' },
    },
  ],
  [
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    { name: 'Googlebot', version: '2.1', device: { name: 'Spider' } },
  ],
  ['"curl/8.5.0"', { name: 'curl', version: '8.5.0', device: { name: 'Other' } }],
  ['', { name: 'Other', device: { name: 'Other' } }],
  ['é'.repeat(5000), { name: 'Other', device: { name: 'Other' } }],
];

describe('the user agent parser', () => {
  for (const [agent, expected] of cases) {
    it(`knows ${JSON.stringify(agent.slice(0, 100))}`, async () => {
      assert.deepEqual((await loadUserAgentParser()).parse(agent), expected);
    });
  }

  it('finds with its literals what it finds without', () => {
    const { content } = userAgentsFile(projectRoot());
    const data = JSON.parse(content) as UserAgentData;
    const quick = new UserAgentParser(data);
    const thorough = new UserAgentParser({
      ...data,
      browsers: data.browsers.map(([regex, , ...rest]) => [regex, [], ...rest]),
      systems: data.systems.map(([regex, , ...rest]) => [regex, [], ...rest]),
      devices: data.devices.map(([regex, , ...rest]) => [regex, [], ...rest]),
    });
    // Texts that look like what the expressions are about; without literals each takes a while.
    const rules = [...data.browsers, ...data.systems, ...data.devices];
    for (let rule = 0; rule < rules.length; rule += 7) {
      const text = rules[rule]![0].replace(/\\d\+?/g, '7')
        .replace(/\(\?:|[()^$?*+\\]/g, '')
        .split('|')[0]!;
      const agent = `Mozilla/5.0 (Linux; Android 9; ${text} Build/X) 1.2`;
      assert.deepEqual(quick.parse(agent), thorough.parse(agent), agent);
    }
  });
});

describe('user agents as bytes', () => {
  const agents = [
    ...cases.map(([agent]) => agent),
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/91.0.4472.101',
    'Mozilla/5.0 (Windows NT 6.1) Gecko/20100101 Firefox/47.0',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/101.0.4951.41',
    'MyApp/12 CFNetwork/1410.0.3 Darwin/22.6.0',
    'Mozilla/5.0 (X11; Linux x86_64; rv:91.0) Gecko/20100101 Ubuntu/10.10 (12)',
    'Mozilla/5.0 (Linux; U; Android 4.0.3; GT-I9100 Build/IML74K) "quoted" \\ 12',
    'sqlmap/1.8 (https://sqlmap.example) %00%27',
    'ünïcode-bot/1.0 (+https://bot.example/münchen 12)',
  ];

  it('give what they give as texts, whatever their digits are', async () => {
    const thorough = await loadUserAgentParser();
    const quick = await loadUserAgentParser();
    let filledIn = 0;
    const batch = emptyBatch(undefined);
    const digits = fc.infiniteStream(fc.integer({ min: 0, max: 9 }));
    const check = fc.property(
      fc.constantFrom(...agents),
      digits,
      fc.boolean(),
      (one, all, isQuoted) => {
        const changed = one.replace(/[0-9]/g, (digit) =>
          Number(all.next().value) < 5 ? digit : String(all.next().value),
        );
        const agent = isQuoted ? `"${changed}"` : changed;
        const bytes = Buffer.from(`>${agent}`);
        const expected = thorough.parse(agent);
        assert.deepEqual(quick.parseAt(bytes, 1, bytes.length), expected, agent);
        const template = quick.templateAt(bytes, 1, bytes.length);
        if (template === undefined) return;
        filledIn++;
        batch.reset(testSource, 'test');
        const at = template.write(batch, new Int32Array(batch.bytes.buffer), bytes, 1);
        const filled = batch.bytes.toString('utf8', at, at + template.bytes.length);
        assert.equal(filled, JSON.stringify(expected), agent);
        assert.ok(template.isWritten(batch.bytes, at, bytes, 1));
      },
    );
    fc.assert(check, { numRuns: 3000 });
    assert.ok(filledIn > 300, `${filledIn} by their template`);
  });

  const wider: readonly (readonly [string, string | undefined])[] = [
    ['(Windows NT 10\\.0)', '(Windows NT [0-9][0-9]\\.[0-9])'],
    ['V(?:10|7)\\d{2,3}[4-6a][^1-3/]', 'V(?:[0-9][0-9]|[0-9])\\d{2,3}[0-94-6a](?:[0-9]|[^1-3/])'],
    ['(a)\\1 2', undefined],
    ['x(?!2)1', undefined],
    ['\\x31 1', undefined],
  ];
  for (const [source, relaxed] of wider) {
    it(`are ruled out for ${source} by ${relaxed}`, () => {
      assert.equal(digitsRelaxed(source), relaxed);
    });
  }
});

describe('the rules about user agents', () => {
  it('are those of uap-core', () => {
    const root = projectRoot();
    const { path, content } = userAgentsFile(root);
    assert.ok(
      readFileSync(join(root, path), 'utf8') === content,
      `${path} is not what "npm run generate" makes.`,
    );
  });

  const pieces: readonly (readonly [string, readonly string[]])[] = [
    ['(Fire)fox/(\\d+)', ['fire']],
    ['(?:Abcd|efgh)x*', ['abcd', 'efgh']],
    ['(?:Abcd|e)x*', []],
    ['[Aa]bcd(?:xyz123)?', ['abcd']],
    ['(\\d+)', []],
    ['(?:abcd)*', []],
    ['; *(PEDI)_(PLUS)_(W) Build', ['pedi']],
  ];
  for (const [regex, expected] of pieces) {
    it(`need ${JSON.stringify(expected)} for ${regex}`, () => {
      assert.deepEqual(requiredPieces(regex), expected);
    });
  }
});

describe('agents as bytes', () => {
  it('get the answer that their text gets, however their digits change', async () => {
    const parser = await loadUserAgentParser();
    // Own seed: the same agents each time.
    let state = 7;
    const next = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    const samples = cases.map(([agent]) => agent).concat(rareAgents);
    for (let round = 0; round < 60; round++) {
      for (const sample of samples) {
        const agent = sample.replace(/\d/g, (digit) => (next(3) === 0 ? String(next(10)) : digit));
        const bytes = Buffer.from(agent);
        assert.deepEqual(parser.parseAt(bytes, 0, bytes.length), parser.parse(agent), agent);
      }
    }
  });
});

const rareAgents = [
  'Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko',
  'Mozilla/5.0 (Linux; Android 4.0.4; A510 Build/IMM76D) AppleWebKit/535.19 Chrome/18.0 Safari/535.19',
  'Mozilla/5.0 (Linux; U; Android 2.3; M35 Build/GRJ22) AppleWebKit/533.1 Mobile Safari/533.1',
  'Mozilla/5.0 (PLAYSTATION 3; 3.55) AppleWebKit/531',
  'Opera/9.80 (X11; Linux i686) Presto/2.12.388 Version/12.16',
  '"curl/8.1.2"',
  'ünïcode-bot/1.0 (+https://bot.example/münchen)',
  'python-requests/2.32.3',
  'x'.repeat(1500),
];
