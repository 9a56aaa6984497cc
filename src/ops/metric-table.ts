import { lockoutNames, policyNames } from '../limits/policies.ts';

/** The values of a label, where they are known beforehand: those that have not been counted yet are told as 0. */
type Values = readonly string[] | 'open';

interface Definition {
  readonly type: 'counter' | 'histogram' | 'gauge';
  /** One sentence, without a dot. */
  readonly help: string;
  /** In the order they are kept and written in. Of `open` ones the code sees to it that they are few. */
  readonly labels: Readonly<Record<string, Values>>;
}

/** What is counted of a sign-in; an older API's deletion by name and password counts as one. */
const loginResults = ['success', 'invalid_credentials', 'email_not_verified', 'account_locked', 'not_settled'] as const;
export const dependencies = ['database', 'key_value', 'mailer', 'event_sink', 'breached_passwords'] as const;
const scheduledSteps = [
  'relay_outbox',
  'relay_events',
  'claim_lease',
  'give_up_events',
  'rotate_signing_keys',
  'repeat_revocations',
  'note_endings',
  'delete_sessions',
  'delete_one_time_tokens',
  'trim_audit_log',
  'delete_dead_mail',
  'move_lease',
] as const;
export type ScheduledStep = (typeof scheduledSteps)[number];
export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', '_OTHER'] as const;

/** Upper bounds in seconds; the last one, which takes all, is not among them. */
export const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** The one list of metrics. Counters and histograms are sums over all processes, gauges are looked up when asked for. */
const metricTable = {
  edge_auth_http_requests_total: {
    type: 'counter',
    help: 'Requests answered, by the pattern of their route',
    labels: { method: 'open', route: 'open', status: 'open' },
  },
  edge_auth_http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time until the answer was ready, by class of status',
    labels: { method: 'open', route: 'open', status_class: 'open' },
  },
  edge_auth_logins_total: {
    type: 'counter',
    help: 'Sign-ins by result; not_settled means that an error or a disconnect interrupted it',
    labels: { result: loginResults },
  },
  edge_auth_tokens_issued_total: {
    type: 'counter',
    help: 'Pairs of access and refresh tokens issued, by what the client presented',
    labels: { grant: ['proof', 'refresh_token'] },
  },
  edge_auth_refresh_reuse_total: {
    type: 'counter',
    help: 'Refresh tokens reused after the grace window; each ended its session',
    labels: {},
  },
  edge_auth_lockouts_total: {
    type: 'counter',
    help: 'Locks that a failed sign-in created or extended',
    labels: { lockout: lockoutNames },
  },
  edge_auth_rate_limit_hits_total: {
    type: 'counter',
    help: 'Requests counted against a limit',
    labels: { policy: policyNames, result: ['allowed', 'refused'] },
  },
  edge_auth_password_hash_duration_seconds: {
    type: 'histogram',
    help: 'Time to hash or verify a password, including the wait for a free slot',
    labels: { operation: ['hash', 'verify'] },
  },
  edge_auth_dependency_duration_seconds: {
    type: 'histogram',
    help: 'Time of round trips; error means that the dependency failed',
    labels: { dependency: dependencies, result: ['ok', 'error'] },
  },
  edge_auth_event_deliveries_total: {
    type: 'counter',
    help: 'Attempts to deliver an event to a sink',
    labels: { sink: 'open', result: ['taken', 'failed'] },
  },
  edge_auth_scheduled_steps_total: {
    type: 'counter',
    help: 'Steps of scheduled work',
    labels: { step: scheduledSteps, result: ['ok', 'error'] },
  },
  edge_auth_trace_spans_total: {
    type: 'counter',
    help: 'Spans sent to the OpenTelemetry collector, or dropped',
    labels: { result: ['exported', 'dropped'] },
  },
  edge_auth_outbox_waiting: {
    type: 'gauge',
    help: 'Outbox rows waiting for delivery',
    labels: { kind: 'open', sink: 'open' },
  },
  edge_auth_outbox_oldest_age_seconds: {
    type: 'gauge',
    help: 'Age of the oldest outbox row waiting for delivery',
    labels: { kind: 'open', sink: 'open' },
  },
  edge_auth_outbox_dead: {
    type: 'gauge',
    help: 'Outbox rows that the service gave up',
    labels: { kind: 'open', sink: 'open' },
  },
  edge_auth_signing_keys: {
    type: 'gauge',
    help: 'Signing keys by state',
    labels: { state: 'open' },
  },
  edge_auth_signing_key_age_seconds: {
    type: 'gauge',
    help: 'How long the current key has been signing',
    labels: {},
  },
  edge_auth_signing_key_next_rotation_seconds: {
    type: 'gauge',
    help: 'Time until the next key signs; a negative value means that the rotation is overdue',
    labels: {},
  },
  edge_auth_dependency_up: {
    type: 'gauge',
    help: 'Whether the dependency answered when these metrics were read',
    labels: { dependency: 'open' },
  },
  edge_auth_build_info: {
    type: 'gauge',
    help: 'Always 1',
    labels: { version: 'open' },
  },
} as const satisfies Record<string, Definition>;

type Table = typeof metricTable;
export type MetricName = keyof Table;
type NameOf<Type> = { [Name in MetricName]: Table[Name]['type'] extends Type ? Name : never }[MetricName];
export type CounterName = NameOf<'counter'>;
export type HistogramName = NameOf<'histogram'>;
export type GaugeName = NameOf<'gauge'>;

/** A value for each label of a metric: one of those that the table lists, or any where it is open. */
export type LabelsOf<Name extends MetricName> = {
  readonly [Label in keyof Table[Name]['labels']]: Table[Name]['labels'][Label] extends readonly (infer Value)[]
    ? Value & string
    : string;
};

export const definitionOf = (name: MetricName): Definition => metricTable[name];
const isMetricName = (name: string): name is MetricName => Object.hasOwn(metricTable, name);
export const metricNames: readonly MetricName[] = Object.keys(metricTable).filter(isMetricName);
