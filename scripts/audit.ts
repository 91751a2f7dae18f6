// What CI runs: are there known holes, high or critical, in what the server is installed with? Only a registry that keeps advisories can tell. Where none
// answers (no network, a mirror without them), nothing was audited, and that is said; `AUDIT=required` makes it a failure.
import { spawnSync } from 'node:child_process';

const TIME_MS = 60_000;
const LEVELS = ['high', 'critical'];

interface Report {
  message?: string;
  metadata?: object;
  vulnerabilities?: Record<string, { name: string; severity: string; range: string; via: (string | { url: string })[] }>;
}

/** What npm's report says: the holes (perhaps none), or why nobody could tell. */
export function readAudit(said: string): { holes: string[] } | { silent: string } {
  let report: Report;
  try {
    report = JSON.parse(said) as Report;
  } catch {
    return { silent: 'npm gave no report' };
  }
  if (!report.vulnerabilities || !report.metadata) return { silent: report.message ?? 'the registry keeps no advisories' };
  const found = Object.values(report.vulnerabilities).filter(({ severity }) => LEVELS.includes(severity));
  return { holes: found.map(({ name, severity, range, via }) => `${name} ${range} (${severity}): ${via.map((one) => (typeof one === 'string' ? one : one.url)).join(', ')}`) };
}

function main(): number {
  const { stdout, error } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8', timeout: TIME_MS, stdio: ['ignore', 'pipe', 'ignore'] });
  const audit = error ? { silent: error.message } : readAudit(stdout);
  if ('silent' in audit) {
    console.log(`Dependencies were NOT audited: ${audit.silent}`);
    return process.env['AUDIT'] === 'required' ? 1 : 0;
  }
  console.log(audit.holes.length ? audit.holes.join('\n') : 'No known hole, high or critical, in what the server is installed with.');
  return audit.holes.length ? 1 : 0;
}

if (import.meta.filename === process.argv[1]) process.exitCode = main();
