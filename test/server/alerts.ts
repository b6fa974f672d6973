import type { AlertmanagerAlert } from '../../server/schemas/alertmanager';

/** A node is down, as Alertmanager says it. */
export const alert = (given: Partial<AlertmanagerAlert> = {}): AlertmanagerAlert => ({
  status: 'firing',
  labels: { alertname: 'NodeDown', node: 'us-east-1/a/n1', severity: 'critical' },
  annotations: { summary: 'us-east-1/a/n1 does not answer' },
  startsAt: '2030-01-02T03:04:05.678Z',
  fingerprint: 'f1',
  ...given,
});

/** A payload as Alertmanager 0.25 sends it. */
export const payload = (...alerts: unknown[]) => ({
  version: '4',
  groupKey: '{}:{alertname="NodeDown"}',
  truncatedAlerts: 0,
  status: 'firing',
  receiver: 'switchover',
  groupLabels: { alertname: 'NodeDown' },
  commonLabels: {},
  commonAnnotations: {},
  externalURL: 'http://127.150.0.12:9093',
  alerts,
});
