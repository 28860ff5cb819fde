//! GET of one address, over TLS by ring with the roots that browsers trust: an image from scratch has no certificates.

use std::{path::Path, sync::Arc, time::Duration};

use axum::body::Bytes;
use http::Uri;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use tokio::time::timeout;

use super::KeysError;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Issuers have a handful of keys of at most some KiB.
const MAX_BYTES: usize = 256 * 1_024;

/// One address and the connection to it.
#[derive(Debug)]
pub(super) struct Fetcher {
    url: Uri,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl Fetcher {
    pub(super) fn new(url: Uri, ca_file: Option<&Path>) -> Result<Self, KeysError> {
        let error = |why: String| KeysError::Fetch { url: url.to_string(), why };
        let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        if let Some(path) = ca_file {
            let wrong = |cause: &dyn std::fmt::Display| error(format!("{}: {cause}", path.display()));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|cause| wrong(&cause))? {
                let certificate = certificate.map_err(|cause| wrong(&cause))?;
                roots.add(certificate).map_err(|cause| wrong(&cause))?;
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|cause| error(cause.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        Ok(Self { url, client: Client::builder(TokioExecutor::new()).build(connector) })
    }

    pub(super) fn url(&self) -> String {
        self.url.to_string()
    }

    pub(super) fn error(&self, why: &str) -> KeysError {
        KeysError::Fetch { url: self.url(), why: why.to_owned() }
    }

    pub(super) async fn get(&self) -> Result<Bytes, KeysError> {
        let read = async {
            let response = self.client.get(self.url.clone()).await.map_err(|cause| {
                // The text of the client's error does not say what its cause says.
                let cause: &dyn std::error::Error = &cause;
                self.error(&crate::middleware::chain(cause))
            })?;
            if !response.status().is_success() {
                return Err(self.error(&format!("it answered {}", response.status())));
            }
            let body = Limited::new(response.into_body(), MAX_BYTES).collect().await;
            Ok(body.map_err(|cause| self.error(&cause.to_string()))?.to_bytes())
        };
        timeout(TIMEOUT, read).await.unwrap_or_else(|_| Err(self.error("it did not answer within 5 s")))
    }
}
