//! Rejects requests that are too large, or too many at once, before any work is done for them.

use http::HeaderMap;
use tokio::sync::SemaphorePermit;

use crate::{error::ApiError, state::Shared};

/// The headers of a request together. The listener accepts more, so that the rejection can be a problem (RFC
/// 9457).
const MAX_HEADER_BYTES: usize = 16 * 1_024;

/// The permit counts the request as in flight until it is dropped.
pub(super) fn admit<'a>(shared: &'a Shared, headers: &HeaderMap) -> Result<SemaphorePermit<'a>, ApiError> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > MAX_HEADER_BYTES {
        return Err(ApiError::HeadersTooLarge(MAX_HEADER_BYTES));
    }
    // Not `acquire`: a client that waits here may give up before it is answered.
    shared.in_flight.try_acquire().map_err(|_| ApiError::Overloaded)
}
