//! The log of changes, in memory: no other process writes the file, and a stream that continues after a
//! restart gets a reset. Triggers of the writing connection (`changes.sql`) collect the changes of a
//! transaction; whatever a statement or a cascade changes is in them, and what is rolled back is not.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sqlx::{SqliteConnection, SqliteExecutor};
use todostack_store::{Change, Owner, Position, Result, sql::ChangeRow};
use tokio::sync::{Notify, OnceCell};

/// The changes that are kept; with those of the longest titles and tags some 8 MiB.
const KEPT: usize = 1_024;

#[derive(Default)]
pub(crate) struct Log {
    number: OnceCell<i64>,
    kept: Mutex<Kept>,
    written: Notify,
}

#[derive(Default)]
struct Kept {
    /// The newest ones, numbered without gaps.
    changes: VecDeque<Change>,
    /// The number of the last one.
    last: i64,
}

impl Log {
    pub(crate) async fn end(&self, executor: impl SqliteExecutor<'_>) -> Result<Position> {
        let number = self.number(executor).await?;
        Ok(Position { log: number, horizon: 0, seq: self.kept().last })
    }

    pub(crate) fn select(&self, owner: Option<&Owner>, after: Position, limit: i64) -> Option<Vec<Change>> {
        let kept = self.kept();
        let first = kept.changes.front().map_or(kept.last, |change| change.position.seq - 1);
        // A log without a number has given no position to anybody.
        if self.number.get() != Some(&after.log) || after.seq < first {
            return None;
        }
        let from = kept.changes.partition_point(|change| change.position.seq <= after.seq);
        let wanted = kept.changes.range(from..).filter(|change| owner.is_none_or(|it| *it == change.owner));
        Some(wanted.take(usize::try_from(limit).unwrap_or(0)).cloned().collect())
    }

    pub(crate) async fn changed(&self) {
        self.written.notified().await;
    }

    /// What was committed, in its order.
    pub(crate) fn append(&self, Collected { count, newest }: Collected) {
        if count == 0 {
            return;
        }
        let mut kept = self.kept();
        let skipped = count.saturating_sub(newest.len());
        if skipped > 0 {
            // They were not even read: more than are kept.
            kept.changes.clear();
            kept.last = kept.last.saturating_add(i64::try_from(skipped).unwrap_or(0));
        }
        for mut change in newest {
            kept.last = kept.last.saturating_add(1);
            change.position.seq = kept.last;
            kept.changes.push_back(change);
        }
        let surplus = kept.changes.len().saturating_sub(KEPT);
        kept.changes.drain(..surplus);
        drop(kept);
        self.written.notify_one();
    }

    /// Takes the changes of a transaction that is about to be committed.
    pub(crate) async fn collect(&self, connection: &mut SqliteConnection) -> Result<Collected> {
        // Not checked by the compiler, since the table is temporary.
        let count: i64 =
            sqlx::query_scalar("select count(*) from temp.changes").fetch_one(&mut *connection).await?;
        if count == 0 {
            return Ok(Collected::default());
        }
        let log = self.number(&mut *connection).await?;
        let rows: Vec<ChangeRow> = sqlx::query_as(
            "select 0 as horizon, seq, owner, kind, id, list_id, content
             from temp.changes order by seq limit ?1 offset max(?2 - ?1, 0)",
        )
        .bind(i64::try_from(KEPT).unwrap_or(i64::MAX))
        .bind(count)
        .fetch_all(&mut *connection)
        .await?;
        sqlx::query("delete from temp.changes").execute(connection).await?;
        let newest = rows.into_iter().filter_map(|row| row.into_change(log).transpose());
        Ok(Collected { count: usize::try_from(count).unwrap_or(0), newest: newest.collect::<Result<_>>()? })
    }

    async fn number(&self, executor: impl SqliteExecutor<'_>) -> Result<i64> {
        let number = async || sqlx::query_scalar("select random()").fetch_one(executor).await;
        Ok(*self.number.get_or_try_init(number).await?)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The changes of a transaction.
#[derive(Default)]
pub(crate) struct Collected {
    count: usize,
    /// As many as are kept.
    newest: Vec<Change>,
}
