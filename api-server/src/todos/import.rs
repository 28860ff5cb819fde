//! POST /todos/import, POST /lists/{list}/todos/import

use std::time::Duration;

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use todostack_store::{Collection, Error, ImportProgress, ImportStep, NewTodo};
use tokio::time::timeout;
use utoipa::ToSchema;

use super::TodoInput;
use crate::{
    error::{ApiError, FieldError},
    extract::{self, InCollection, ListParam, MAX_BODY_BYTES},
    idempotency::{self, RequiredKey},
    ndjson::{Line, Lines},
    state::AppState,
};

/// The todos of one transaction: it takes some 10 ms, for which other writes to a SQLite file wait.
const STEP: usize = 500;

/// How long a client that still sends its body is listened to after an error. It could not read the response
/// to a connection that is closed before.
const LINGER: Duration = Duration::from_secs(2);

/// What an import did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportResult {
    /// The number of todos that were created, by this request and by those that it repeats.
    imported: i64,
}

/// Import todos
///
/// One `NewTodo` per line, as `application/x-ndjson`; empty lines and fields that only the service writes are
/// ignored, so that an export can be imported. The lines are stored in their order, in transactions of some
/// hundred. The first error ends the import, and the lines before it are stored: the problem has the number
/// and the pointer of the invalid line.
///
/// The `Idempotency-Key` makes it safe to repeat an import that failed or broke off in the middle, also after
/// the invalid line was corrected: lines that are stored for the key are recognized and skipped, so that each
/// todo is created once. They must be the same then. A key is kept for a day after its last line.
#[utoipa::path(
    post,
    path = "/todos/import",
    operation_id = "importTodos",
    tag = "todos",
    params(ListParam, RequiredKey),
    request_body(content = String, content_type = "application/x-ndjson", description = "One NewTodo per line"),
    responses(
        (status = 200, description = "All lines are stored", body = ImportResult,
         headers(("idempotency-replayed" = Option<String>,
                  description = "`true` when earlier requests with this key had stored all lines"))),
        (status = 404, description = "No such list"),
        (status = 409, description = "A request with this Idempotency-Key is in progress"),
        (status = 422, description = "A line is invalid, or other lines were stored for this Idempotency-Key"),
    )
)]
pub(crate) async fn import(
    State(state): State<AppState>,
    InCollection { collection, .. }: InCollection,
    key: RequiredKey,
    request: Request,
) -> Result<Response, ApiError> {
    let mut lines = Lines::new(request, state.shared.settings.max_import_bytes())?;
    let done = run(state, collection, key, &mut lines).await;
    if done.is_err() {
        drop(timeout(LINGER, lines.discard()).await);
    }
    done
}

async fn run(
    state: AppState,
    collection: Collection,
    RequiredKey((key, digest)): RequiredKey,
    lines: &mut Lines,
) -> Result<Response, ApiError> {
    lines.check_size()?;
    let stored = state.store.import_progress(&collection, &key).await?;
    let replayed = stored.is_some();
    let (read, imported, step) = (0, 0, Vec::new());
    Import { state, collection, key, digest, read, imported, stored, step, replayed }.run(lines).await
}

struct Import {
    state: AppState,
    collection: Collection,
    key: String,
    /// Of the path and of all lines that were read.
    digest: Sha256,
    /// The number of lines that were read.
    read: i64,
    /// How many of them are todos.
    imported: i64,
    stored: Option<ImportProgress>,
    /// Those that were read and are not stored.
    step: Vec<NewTodo>,
    /// Whether all was stored before.
    replayed: bool,
}

impl Import {
    async fn run(mut self, lines: &mut Lines) -> Result<Response, ApiError> {
        let read = self.read_all(lines).await;
        // Also those before an invalid line.
        self.store_step().await?;
        read?;
        let result = ImportResult { imported: self.imported };
        Ok(idempotency::mark_replayed(Json(result).into_response(), self.replayed))
    }

    async fn read_all(&mut self, lines: &mut Lines) -> Result<(), ApiError> {
        loop {
            match lines.next().await? {
                Line::Text(line) => self.read_line(&line)?,
                Line::TooLong => {
                    let detail = format!("must have at most {MAX_BODY_BYTES} bytes");
                    return Err(self.at_this_line(ApiError::Invalid(vec![FieldError::new("", detail)])));
                }
                // Other lines were stored for the key.
                Line::End if self.is_stored() => return Err(Error::KeyReused.into()),
                Line::End => return Ok(()),
            }
            if self.step.len() >= STEP {
                self.store_step().await?;
                if self.state.shared.is_draining() {
                    return Err(ApiError::Draining);
                }
            }
        }
    }

    /// Whether the next line was stored before.
    fn is_stored(&self) -> bool {
        self.stored.as_ref().is_some_and(|stored| self.read < stored.lines)
    }

    fn read_line(&mut self, line: &[u8]) -> Result<(), ApiError> {
        let is_empty = line.trim_ascii().is_empty();
        let digest = self.digest.clone().chain_update(line).chain_update(b"\n");
        if !self.is_stored() && !is_empty {
            let input = extract::parse::<TodoInput>(line).and_then(NewTodo::try_from);
            let new = input.map_err(|error| self.at_this_line(error))?;
            self.step.push(new);
        }
        self.read = self.read.saturating_add(1);
        self.imported = self.imported.saturating_add(i64::from(!is_empty));
        self.digest = digest;
        match &self.stored {
            Some(stored) if self.read == stored.lines && self.fingerprint() != stored.fingerprint => {
                Err(Error::KeyReused.into())
            }
            _ => Ok(()),
        }
    }

    fn fingerprint(&self) -> Vec<u8> {
        self.digest.clone().finalize().to_vec()
    }

    async fn store_step(&mut self) -> Result<(), ApiError> {
        if self.step.is_empty() {
            return Ok(());
        }
        self.replayed = false;
        let after = ImportProgress { lines: self.read, fingerprint: self.fingerprint() };
        let step = ImportStep { key: self.key.clone(), before: self.stored.take(), after: after.clone() };
        let new = std::mem::take(&mut self.step);
        self.state.store.import_todos(&self.collection, new, step).await?;
        self.stored = Some(after);
        Ok(())
    }

    /// The error with the number of the line that follows those that were read.
    fn at_this_line(&self, error: ApiError) -> ApiError {
        let errors = match error {
            ApiError::Invalid(errors) => errors,
            ApiError::MalformedJson(why) => vec![FieldError::new("", format!("must be JSON: {why}"))],
            other => return other,
        };
        let line = Some(self.read.saturating_add(1));
        // To the parser, each line is the first.
        let detail = |detail: String| detail.replace(" at line 1 column ", " at column ");
        let errors = errors.into_iter().map(|it| FieldError { line, detail: detail(it.detail), ..it });
        ApiError::Invalid(errors.collect())
    }
}
