//! Fetches the JWKS of the issuer. When it is fetched is decided in `keys`.

use std::path::Path;

use axum::body::Bytes;
use http::{Request, Uri};

use super::KeysError;
use crate::outbound::Outbound;

#[derive(Debug)]
pub(super) struct Fetcher {
    url: Uri,
    outbound: Outbound,
}

impl Fetcher {
    pub(super) fn new(url: Uri, ca_file: Option<&Path>) -> Result<Self, KeysError> {
        match Outbound::new(ca_file) {
            Ok(outbound) => Ok(Self { url, outbound }),
            Err(why) => Err(KeysError::Fetch { url: url.to_string(), why }),
        }
    }

    pub(super) fn url(&self) -> String {
        self.url.to_string()
    }

    pub(super) fn error(&self, why: &str) -> KeysError {
        KeysError::Fetch { url: self.url(), why: why.to_owned() }
    }

    pub(super) async fn get(&self) -> Result<Bytes, KeysError> {
        let request = Request::get(self.url.clone()).body(http_body_util::Full::default());
        let request = request.map_err(|cause| self.error(&cause.to_string()))?;
        self.outbound.send(request).await.map_err(|why| self.error(&why))
    }
}
