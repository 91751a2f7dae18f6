import assert from 'node:assert/strict';
import { readAudit } from '../scripts/audit.js';

const report = (severity: string) => JSON.stringify({ metadata: {}, vulnerabilities: { leaky: { name: 'leaky', severity, range: '<2', via: ['other', { url: 'https://example.com/1' }] } } });

describe('the audit of dependencies', () => {
  it('names what is high or critical, and nothing less', () => {
    assert.deepEqual(readAudit(report('critical')), { holes: ['leaky <2 (critical): other, https://example.com/1'] });
    assert.deepEqual(readAudit(report('moderate')), { holes: [] });
    assert.deepEqual(readAudit(JSON.stringify({ metadata: {}, vulnerabilities: {} })), { holes: [] });
  });

  it('tells silence from safety', () => {
    assert.deepEqual(readAudit(''), { silent: 'npm gave no report' });
    assert.deepEqual(readAudit(JSON.stringify({ message: '405 Method Not Allowed' })), { silent: '405 Method Not Allowed' });
    assert.deepEqual(readAudit('{}'), { silent: 'the registry keeps no advisories' });
  });
});
