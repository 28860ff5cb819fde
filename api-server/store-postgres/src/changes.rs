//! The log of changes: its end, a part of it, and how long it is kept. Triggers write it (see the migration
//! `0002_changes`).
//!
//! # Guarantees
//! - A change is read only when no other one can come before it: a transaction that commits late is not
//!   skipped.
//! - Two changes of one row are in the order in which they happened.
//!
//! A transaction that writes and stays open, in any database of the server, delays the changes that follow.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use todostack_store::{Change, Owner, Position, Result, sql::ChangeRow};

/// The log has up to so many changes after it was pruned.
const KEPT: i64 = 100_000;
/// The pause between two reads is half of the time since the last change, within these bounds. A read that
/// finds nothing takes the server some 50 µs.
///
/// Not LISTEN and NOTIFY: a transaction with a NOTIFY holds a lock of the whole server while it commits, so
/// that writes do not share the wait for the disk. On a disk with 3 ms for an fsync, 32 connections inserted
/// 190 rows per second with one NOTIFY a statement, and 5,300 without. A pooler in transaction mode does not
/// support LISTEN either.
const PAUSE: [Duration; 2] = [Duration::from_millis(4), Duration::from_millis(64)];

pub(crate) fn pause(quiet: Duration) -> Duration {
    let [shortest, longest] = PAUSE;
    (quiet / 2).clamp(shortest, longest)
}

pub(crate) async fn end(connection: &mut PgConnection) -> Result<Position> {
    if let Some(end) = select_end(connection).await? {
        return Ok(end);
    }
    let mut transaction = connection.begin().await?;
    if start_log(&mut transaction).await? {
        // Those of a restored dump have the transaction ids of another server.
        sqlx::query!("delete from changes").execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    let end = select_end(connection).await?;
    end.ok_or_else(|| todostack_store::Error::unavailable("the log of changes was lost again"))
}

/// `None` when the log has no number yet.
async fn select_end(connection: &mut PgConnection) -> sqlx::Result<Option<Position>> {
    sqlx::query_as!(
        Position,
        r#"
        select generation as log, pg_snapshot_xmin(pg_current_snapshot())::text::bigint + 1 as "horizon!",
               0::bigint as "seq!"
        from change_log
        where origin = (select system_identifier from pg_control_system()) || '/' || 'changes'::regclass::oid
        "#
    )
    .fetch_optional(connection)
    .await
}

/// Returns whether the log has a new number. Another replica may be faster.
async fn start_log(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let started = sqlx::query!(
        "insert into change_log (generation, origin)
         values (hashtextextended(gen_random_uuid()::text, 0),
                 (select system_identifier from pg_control_system()) || '/' || 'changes'::regclass::oid)
         on conflict (only_row) do update
         set generation = excluded.generation, origin = excluded.origin,
             deleted_horizon = 0, deleted_seq = 0
         where change_log.origin <> excluded.origin"
    );
    Ok(started.execute(connection).await?.rows_affected() > 0)
}

pub(crate) async fn select(
    connection: &mut PgConnection,
    owner: Option<&Owner>,
    after: Position,
    limit: i64,
) -> Result<Option<Vec<Change>>> {
    let rows = sqlx::query_as!(
        ChangeRow,
        r#"
        select horizon, seq, owner, kind, id, list_id, content::text
        from changes
        where (horizon, seq) > ($1, $2)
          and horizon <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
          and ($3::text is null or owner = $3)
        order by horizon, seq
        limit $4
        "#,
        after.horizon,
        after.seq,
        owner.map(|owner| &**owner),
        limit
    )
    .fetch_all(&mut *connection)
    .await?;
    // After the rows: some may have been deleted just before they were read.
    let has_all = sqlx::query_scalar!(
        r#"
        select exists (
            select from change_log
            where generation = $1 and (deleted_horizon, deleted_seq) <= ($2::bigint, $3::bigint)
        ) as "has_all!"
        "#,
        after.log,
        after.horizon,
        after.seq
    )
    .fetch_one(connection)
    .await?;
    let changes = rows.into_iter().filter_map(|row| row.into_change(after.log).transpose());
    if has_all { changes.collect::<Result<_>>().map(Some) } else { Ok(None) }
}

pub(crate) async fn delete_old(connection: &mut PgConnection) -> sqlx::Result<u64> {
    // Only those that a reader can have read, since the others have no final place yet.
    let done = sqlx::query!(
        r#"
        with
            readable as not materialized (
                select horizon, seq, created_at from changes
                where horizon <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
            ),
            newest as (select seq from readable order by horizon desc, seq desc limit 1),
            first_kept as (
                select horizon, seq from readable
                where created_at >= now() - interval '1 hour' and seq > (select seq from newest) - $1
                order by horizon, seq limit 1
            ),
            old as (
                select horizon, seq from readable
                where not exists (select from first_kept)
                   or (horizon, seq) < (select horizon, seq from first_kept)
            ),
            deleted as (
                delete from changes using old
                where changes.horizon = old.horizon and changes.seq = old.seq
                returning changes.horizon, changes.seq
            ),
            noted as (
                update change_log set deleted_horizon = last.horizon, deleted_seq = last.seq
                from (select horizon, seq from deleted order by horizon desc, seq desc limit 1) as last
                where (deleted_horizon, deleted_seq) < (last.horizon, last.seq)
            )
        select count(*) as "deleted!" from deleted
        "#,
        KEPT
    )
    .fetch_one(connection)
    .await?;
    Ok(done.deleted.unsigned_abs())
}
