//! Finds out who calls. How tokens are checked is in `auth`.

use http::{HeaderMap, Method};
use todostack_store::Owner;

use crate::{error::ApiError, state::Shared};

/// The subject of the token; `None` when authentication is off.
pub(super) async fn authenticate(
    shared: &Shared,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Option<Owner>, ApiError> {
    match &shared.auth {
        Some(auth) => Ok(Some(auth.identify(headers, method).await?)),
        None => Ok(None),
    }
}
