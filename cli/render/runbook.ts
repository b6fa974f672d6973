import type { Runbook } from '../../core/runbook';
import { exampleCommand } from '../input';
import type { Look } from './look';
import { pad, wrap } from './text';

interface Field {
  type?: string;
  description?: string;
  enum?: unknown[];
  default?: unknown;
}

const LABEL = 11;

/** A runbook on one page: what for, what it locks, what it takes, who must agree, what starts it, and how to. */
export function runbookPage(runbook: Runbook, look: Look): string[] {
  const { colors, width } = look;
  const { id, title, what, risk, onFailure, forced } = runbook;
  const row = (label: string, texts: string[]) =>
    texts
      .flatMap((text) => wrap(text, width - LABEL))
      .map((line, i) => `${colors.dim(pad(i === 0 ? label : '', LABEL))}${line}`);
  const failure = onFailure === 'ask' ? 'a person is asked: retry, skip or abort' : 'what was done is undone';
  return [
    `${colors.bold(id)}  ${title}`,
    '',
    ...wrap(what.trim(), width),
    '',
    ...row('locks', [scope(runbook)]),
    ...row('inputs', inputs(runbook)),
    ...row('risk', [risk]),
    ...row('approval', approvals(runbook)),
    ...row('on failure', [failure]),
    ...(forced === undefined ? [] : row('forced', [forced])),
    ...row('alerts', alerts(runbook)),
    '',
    colors.dim('try what it would do, then do it:'),
    `  ${exampleCommand(runbook).replace('--follow', '--mode plan --wait')}`,
    `  ${colors.bold(exampleCommand(runbook))}`,
  ];
}

function scope({ scope: { kind, input } }: Runbook): string {
  return input ? `one ${kind}, named by the input "${input}"` : kind;
}

function inputs({ input }: Runbook): string[] {
  const { properties = {}, required = [] } = input as {
    properties?: Record<string, Field>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, field]) => {
    const facts = [
      field.type,
      required.includes(name) ? 'required' : 'optional',
      field.enum && `one of ${field.enum.join(', ')}`,
      field.default !== undefined && `default ${JSON.stringify(field.default)}`,
    ].filter(Boolean);
    return `${name} (${facts.join(', ')})${field.description ? `: ${field.description}` : ''}`;
  });
}

function approvals({ approvals: wanted }: Runbook): string[] {
  const rules = Object.entries(wanted).map(
    ([trigger, { quorum, timeout }]) =>
      `${quorum} within ${timeout} when started by ${trigger === 'unknown' ? 'nobody known (Temporal UI)' : trigger}`,
  );
  return rules.length > 0 ? rules : ['none'];
}

function alerts({ alerts: starting }: Runbook): string[] {
  const rules = starting.map(({ match, input }) => {
    const labels = Object.entries(match).map(([label, value]) => `${label}=${value}`);
    const taken = Object.entries(input).map(([field, label]) => `${field} from label ${label}`);
    return `${labels.join(', ')} (${taken.join(', ')})`;
  });
  return rules.length > 0 ? rules : ['none start it'];
}
