/**
 * The journal's tables of runs, made by whoever writes first. Everything in them is kept by environment, so that several may share a
 * database. The audit takes no changes: its rows go only when their time is over, from the oldest on.
 */
export const RECORDS_SCHEMA = `
create table if not exists runs (
  environment text not null,
  run text not null,
  runbook text not null,
  scope text not null,
  level text not null,
  region text,
  mode text not null,
  state text not null,
  trigger text not null,
  by_whom text not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  fault_at timestamptz,
  rto_ms double precision,
  objective_ms double precision not null,
  work_ms double precision not null,
  sessions_lost bigint,
  rows_lost bigint,
  acted boolean not null,
  primary key (environment, run)
);
create index if not exists runs_by_time on runs (environment, ended_at);

create table if not exists steps (
  environment text not null,
  run text not null,
  step integer not null,
  kind text not null,
  title text not null,
  state text not null,
  sentence text,
  attempts integer not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  primary key (environment, run, step)
);

create table if not exists audit (
  environment text not null,
  seq bigint not null,
  key text not null,
  at timestamptz not null,
  kind text not null,
  by_whom text not null,
  what text not null,
  reason text,
  run text,
  previous text not null,
  hash text not null,
  primary key (environment, seq),
  unique (environment, key)
);

create table if not exists audit_pruned (
  environment text primary key,
  seq bigint not null,
  hash text not null
);

create table if not exists readiness_changes (
  environment text not null,
  runbook text not null,
  at timestamptz not null,
  from_verdict text not null,
  to_verdict text not null,
  because text not null,
  primary key (environment, runbook, at)
);

create or replace function audit_takes_no_changes() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('switchover.retention', true) = 'on' then return old; end if;
  raise exception 'the audit takes no changes: % of row %', tg_op, old.seq;
end $$;

create or replace trigger audit_takes_no_changes before update or delete on audit
for each row execute function audit_takes_no_changes();
`;
