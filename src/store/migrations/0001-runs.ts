/**
 * First schema: flows, runs and what belongs to them.
 *
 * There are no foreign keys: a run is deleted with all that belongs to it in one transaction, and checking them would cost at every row of
 * the recorder. Task runs are found by run and key; transitions of a run are stored together.
 */
import type { Migration } from './migration.ts';

export const runs: Migration = {
  number: 1,
  name: 'runs',
  statements: (dialect, { integer, text, counter }) => {
    const clustered = dialect === 'sqlite' ? ' without rowid' : '';
    const transitionSeq = dialect === 'sqlite' ? `${integer} not null` : `${integer} generated always as identity`;
    return [
      `create table flows (
        name ${text} primary key, version ${text} not null, description ${text}, tags ${text} not null, kind ${text} not null,
        source ${text}, updated_at ${integer} not null, params_schema ${text}, graph ${text}
      )`,
      `create table runs (
        id ${text} primary key, flow ${text} not null, flow_version ${text} not null, name ${text} not null, deployment ${text},
        parent_run_id ${text}, parent_task_run_id ${text},
        state_type ${text} not null, state_name ${text} not null, state_message ${text},
        attempt integer not null, recoveries integer not null, epoch integer not null, owner ${text}, lease_until ${integer},
        scheduled_for ${integer}, due_at ${integer}, created_at ${integer} not null, started_at ${integer}, ended_at ${integer},
        cancel_requested_at ${integer}, tags ${text} not null, source ${text}, result_ref ${text},
        params ${text} not null, result ${text}, error ${text}
      )`,
      'create index runs_state_due on runs (state_type, due_at)',
      'create index runs_created on runs (created_at, id)',
      'create index runs_flow_created on runs (flow, created_at, id)',
      'create index runs_deployment_created on runs (deployment, created_at, id) where deployment is not null',
      'create index runs_parent on runs (parent_run_id) where parent_run_id is not null',
      `create table task_runs (
        seq ${counter}, id ${text} not null, run_id ${text} not null, key ${text} not null, name ${text} not null,
        display_name ${text}, item_index integer,
        state_type ${text} not null, state_name ${text} not null, state_message ${text}, attempt integer not null,
        started_at ${integer}, ended_at ${integer}, due_at ${integer}, child_run_id ${text}, result_ref ${text},
        depends_on ${text}, progress ${text}, metrics ${text}, result ${text}, error ${text},
        unique (run_id, key)
      )`,
      `create table transitions (
        run_id ${text} not null, seq ${transitionSeq}, task_run_id ${text}, at ${integer} not null,
        type ${text} not null, name ${text} not null, attempt integer not null, owner ${text}, message ${text},
        primary key (run_id, seq)
      )${clustered}`,
      `create table results (
        run_id ${text} not null, key ${text} not null, task_run_id ${text}, bytes ${integer}, created_at ${integer} not null,
        primary key (run_id, key)
      )${clustered}`,
      'create index results_key on results (key)',
      `create table logs (
        seq ${counter}, run_id ${text} not null, task_run_id ${text}, at ${integer} not null, level integer not null,
        message ${text} not null, fields ${text}
      )`,
      'create index logs_run on logs (run_id, seq)',
      `create table artifacts (
        id ${text} primary key, run_id ${text} not null, task_run_id ${text}, kind ${text} not null, name ${text} not null,
        created_at ${integer} not null, data ${text} not null
      )`,
      'create index artifacts_run on artifacts (run_id, created_at, id)',
      // For a connection that may be lost without knowing what it wrote: the last batch written by each recorder.
      ...(dialect === 'postgres'
        ? [`create table flush_marks (writer ${text} primary key, batch ${integer} not null, at ${integer} not null)`]
        : []),
    ];
  },
};
