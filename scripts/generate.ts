import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildFileSchema } from '../core/config/schema.ts';
import { schemaOf } from '../core/config/schema_of.ts';
import { catalogueSource, findPlugins } from './generate_catalogue.ts';
import { licencesPage } from './generate_licences.ts';
import { pluginPages } from './generate_plugin_pages.ts';
import { errorsPage, metricsPage } from './generate_reference.ts';
import { userAgentsFile } from './generate_user_agents.ts';
import { projectRoot } from './project_root.ts';

/** A generated file: its path below the project's root and what it must hold. */
interface GeneratedFile {
  readonly path: string;
  readonly content: string;
}

const root = projectRoot();
const isCheck = process.argv.includes('--check');
let stale = 0;
for (const { path, content } of await generatedFiles()) {
  const full = join(root, path);
  if (current(full) === content) continue;
  stale++;
  if (isCheck) console.error(`${path} is not what "npm run generate" makes.`);
  else {
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    console.log(`wrote ${path}`);
  }
}
if (isCheck && stale > 0) process.exitCode = 1;

async function generatedFiles(): Promise<GeneratedFile[]> {
  const found = await findPlugins(root);
  const plugins = found.map(({ plugin }) => plugin);
  const schema = buildFileSchema(plugins.map(schemaOf));
  return [
    { path: 'plugins/catalogue.generated.ts', content: catalogueSource(found) },
    userAgentsFile(root),
    { path: 'schema/pipeline.schema.json', content: `${JSON.stringify(schema, null, 1)}\n` },
    { path: 'docs/reference/errors.md', content: errorsPage() },
    { path: 'docs/reference/metrics.md', content: metricsPage() },
    { path: 'docs/reference/licences.md', content: licencesPage(root) },
    ...pluginPages(plugins),
  ];
}

function current(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
