import { auditDependencies } from './dependency_audit.ts';
import { projectRoot } from './project_root.ts';

/** `npm run audit`: ends with 1 when the lock file, or what the registry knows of the packages that
 *  ship, is not as it must be. */
const { ok, lines } = await auditDependencies(projectRoot());
for (const line of lines) console.log(line);
if (!ok) process.exitCode = 1;
