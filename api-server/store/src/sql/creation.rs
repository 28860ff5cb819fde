//! What a POST creates, and how its repetition is recognized. The statements are in the implementations.

use chrono::{DateTime, Utc};

use crate::{
    Collection, Created, Error, IdempotencyKey, ImportProgress, List, NewList, NewTodo, Owner, Result, Todo,
};

/// A todo or a list that is to be created.
pub trait Creation: Send {
    /// What it is after it was stored.
    type Stored: Send;

    /// Who creates it.
    fn owner(&self) -> &Owner;
    /// The list that must exist; 0 when none must.
    fn list_or_zero(&self) -> i64;
    /// What is stored, with the number and the time that the database gave it.
    fn stored(self, id: i64, created_at: DateTime<Utc>) -> Self::Stored;
    /// The number and the time that the database gave it.
    fn given(stored: &Self::Stored) -> (i64, DateTime<Utc>);
}

impl Creation for (Collection, NewTodo) {
    type Stored = Todo;

    fn owner(&self) -> &Owner {
        &self.0.owner
    }

    fn list_or_zero(&self) -> i64 {
        self.0.list_or_zero()
    }

    fn stored(self, id: i64, created_at: DateTime<Utc>) -> Todo {
        Todo::created(self.1, id, created_at)
    }

    fn given(stored: &Todo) -> (i64, DateTime<Utc>) {
        (stored.id, stored.created_at)
    }
}

impl Creation for (Owner, NewList) {
    type Stored = List;

    fn owner(&self) -> &Owner {
        &self.0
    }

    fn list_or_zero(&self) -> i64 {
        0
    }

    fn stored(self, id: i64, created_at: DateTime<Utc>) -> List {
        List::created(self.1, id, created_at)
    }

    fn given(stored: &List) -> (i64, DateTime<Utc>) {
        (stored.id, stored.created_at)
    }
}

/// A row of `idempotency_keys`, and whether the list of the repeated request still exists. Which kind of
/// request it is of is part of the fingerprint.
pub struct StoredKey {
    pub fingerprint: Vec<u8>,
    /// The number of the todo or list that was created, or how many lines of an import are stored.
    pub number: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    pub list_exists: bool,
}

impl StoredKey {
    /// The request has the fingerprint of the first, so only what the database added was stored.
    pub fn replay<C: Creation>(self, creation: C, key: &IdempotencyKey) -> Result<Created<C::Stored>> {
        if !self.list_exists {
            return Err(Error::ListNotFound);
        }
        if self.fingerprint != key.fingerprint {
            return Err(Error::KeyReused);
        }
        Ok(Created { stored: creation.stored(self.number, self.created_at), replayed: true })
    }

    /// The progress of an import.
    pub fn progress(self) -> Result<ImportProgress> {
        if self.list_exists {
            Ok(ImportProgress { lines: self.number, fingerprint: self.fingerprint })
        } else {
            Err(Error::ListNotFound)
        }
    }
}
