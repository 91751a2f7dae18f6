// What can be said of the files for operators without a cluster, a cloud and a Docker engine: that they are what they claim to be, name only what exists, and that the alerts are
// raised by what they are for. docs/OPERATIONS.md says what nobody has tried.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { convertFiles } from '@cdktf/hcl2json';
import { parse, parseAllDocuments } from 'yaml';
import { describeSettings } from '../src/config.js';
import { World } from './testkit/world.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string): string => readFileSync(`${root}${file}`, 'utf8');
const settings = new Set(describeSettings().map(({ name }) => name));

interface Rule {
  alert: string;
  expr: string;
  annotations: { runbook: string };
}
interface Dashboard {
  panels: { id: number; title: string; datasource: { uid: string }; targets: { refId: string; expr: string }[] }[];
}
interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: { template: { spec: { securityContext: object; containers: Record<string, unknown>[] } } };
  data: Record<string, string>;
}

describe('ops/', function () {
  this.timeout(60_000);
  const rules = (parse(read('ops/prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
  const dashboard = JSON.parse(read('ops/grafana/dashboards/omnitalk.json')) as Dashboard;

  it('rules of alerts are good, and are raised by what they are for: promtool tries them', () => {
    for (const args of [['check', 'rules', 'alerts.yml'], ['check', 'config', '--syntax-only', 'prometheus.yml'], ['test', 'rules', 'alerts.test.yml']]) {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: `${root}ops/prometheus`, encoding: 'utf8' });
      assert.equal(status, 0, `promtool ${args.join(' ')}\n${stdout}${stderr}`);
    }
  });

  it('each alert has its runbook', () => {
    const headings = new Set([...read('docs/OPERATIONS.md').matchAll(/^### (\w+)$/gm)].map((match) => match[1]!.toLowerCase()));
    assert.deepEqual(rules.filter(({ annotations }) => !headings.has(annotations.runbook)).map(({ alert }) => alert), []);
  });

  it('alerts and charts ask for figures that the server gives', async () => {
    const world = await World.start({ settings: { JOBS: 'false' } });
    try {
      await world.client().api.viewer();
      const figures = await (await fetch(`${world.app.url}/metrics`)).text();
      const given = new Set([...figures.matchAll(/^# TYPE (\w+) /gm)].map((match) => match[1]!));
      // Those that the primary of several processes adds.
      for (const name of ['omnitalk_workers', 'omnitalk_worker_deaths_total']) if (read('src/cluster/figures.ts').includes(name.replace('omnitalk_', '${OURS}'))) given.add(name);
      const asked = [...rules.map(({ expr }) => expr), ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))];
      const names = new Set(asked.flatMap((expr) => expr.match(/\b(?:omnitalk|nodejs|process)_\w+/g) ?? []));
      assert.ok(names.size > 20);
      assert.deepEqual([...names].filter((name) => !given.has(name) && !given.has(name.replace(/_(bucket|count|sum)$/, ''))), []);
    } finally {
      await world.stop();
    }
  });

  it('charts have a place each, and ask the Prometheus that is provisioned', () => {
    const { datasources } = parse(read('ops/grafana/provisioning/datasources/prometheus.yaml')) as { datasources: { uid: string }[] };
    assert.deepEqual([...new Set(dashboard.panels.map(({ datasource }) => datasource.uid))], datasources.map(({ uid }) => uid));
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  });

  it('manifests of Kubernetes are as their schemas say, restricted, probed, and name settings that exist', async () => {
    const folders = ['ops/kubernetes/base', 'ops/kubernetes/production'];
    const manifests: Manifest[] = [];
    for (const folder of folders) {
      const { resources } = parse(read(`${folder}/kustomization.yaml`)) as { resources: string[] };
      for (const resource of resources) assert.ok(existsSync(`${root}${folder}/${resource}`), resource);
      assert.deepEqual(readdirSync(`${root}${folder}`).filter((name) => name !== 'kustomization.yaml').sort(), resources.filter((name) => name.endsWith('.yaml')).sort());
      for (const file of resources.filter((name) => name.endsWith('.yaml'))) manifests.push(...parseAllDocuments(read(`${folder}/${file}`)).map((document) => document.toJS() as Manifest));
    }
    assert.deepEqual(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort(), [
      'ConfigMap omnitalk', 'Deployment api', 'Deployment jobs', 'HorizontalPodAutoscaler api', 'Ingress omnitalk', 'Namespace omnitalk', 'NetworkPolicy omnitalk', 'PodDisruptionBudget api', 'PodDisruptionBudget jobs', 'Service api',
    ]);
    for (const manifest of manifests) {
      const models = (await import(`kubernetes-models/${manifest.apiVersion}`)) as Record<string, new (data: object) => { validate(): void }>;
      assert.doesNotThrow(() => new models[manifest.kind]!(manifest).validate(), `${manifest.kind} ${manifest.metadata.name}`);
      assert.throws(() => new models[manifest.kind]!({ ...manifest, metadata: { name: 1 } }).validate(), 'the schema is looked at');
      if (manifest.kind === 'ConfigMap') assert.deepEqual(Object.keys(manifest.data).filter((name) => !settings.has(name)), []);
      if (manifest.kind !== 'Deployment') continue;
      const [container] = manifest.spec.template.spec.containers;
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe', 'resources']) assert.ok(container![probe], `${manifest.metadata.name} ${probe}`);
      assert.deepEqual(container!['securityContext'], { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
    }
  });

  it('Terraform’s files can be read, use what they declare, and put out settings that exist', async () => {
    const files = readdirSync(`${root}ops/terraform`).filter((name) => name.endsWith('.tf'));
    assert.deepEqual(files.sort(), ['main.tf', 'outputs.tf', 'variables.tf', 'versions.tf']);
    const { variable, resource, output } = (await convertFiles(`${root}ops/terraform`)) as { variable: object; resource: Record<string, object>; output: object };
    const text = files.map((file) => read(`ops/terraform/${file}`)).join('\n');
    assert.deepEqual([...new Set([...text.matchAll(/\bvar\.(\w+)/g)].map((match) => match[1]!))].sort(), Object.keys(variable).sort());
    const declared = new Set(Object.entries(resource).flatMap(([type, named]) => Object.keys(named).map((name) => `${type}.${name}`)));
    assert.deepEqual([...text.matchAll(/\b((?:aws|random)_\w+\.\w+)\./g)].map((match) => match[1]!).filter((name) => !declared.has(name)), []);
    assert.deepEqual(Object.keys(output).filter((name) => !settings.has(name)), []);
  });
});
