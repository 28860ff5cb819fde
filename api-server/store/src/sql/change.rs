//! Rows of the log of changes. Its SQL, and how it is kept, are in the implementations.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use sqlx::types::Json;

use crate::{
    Change, Changed, Error, Position, Result,
    sql::{ListRow, TodoRow},
};

/// A logged change of a row of `todos` or `lists`.
#[derive(sqlx::FromRow)]
pub struct ChangeRow {
    pub horizon: i64,
    pub seq: i64,
    pub owner: String,
    /// `todo` or `list`.
    pub kind: String,
    pub id: i64,
    pub list_id: Option<i64>,
    /// The columns of the row as JSON; `None` when it was deleted.
    pub content: Option<String>,
}

impl ChangeRow {
    /// `None` for a kind that only a later version knows.
    pub fn into_change(self, log: i64) -> Result<Option<Change>> {
        let Self { horizon, seq, owner, kind, id, list_id: list, content } = self;
        let what = match (kind.as_str(), content) {
            ("todo", Some(content)) => {
                let todo = parse::<TodoRow<Json<Vec<String>>, i64>>(&content)?.into();
                Changed::Todo { list, todo }
            }
            ("todo", None) => Changed::TodoDeleted { list, id },
            ("list", Some(content)) => Changed::List(parse::<ListRow>(&content)?.into()),
            ("list", None) => Changed::ListDeleted(id),
            _ => return Ok(None),
        };
        Ok(Some(Change { position: Position { log, horizon, seq }, owner: owner.into(), what }))
    }
}

fn parse<T: DeserializeOwned>(content: &str) -> Result<T> {
    serde_json::from_str(content).map_err(|error| Error::Internal(Arc::new(error)))
}
