//! The HTTP client of this service, for keys, traces and the health check. It brings the roots that browsers
//! trust, since an image from scratch has no certificates.

use std::{path::Path, sync::Arc, time::Duration};

use axum::body::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use tokio::time::timeout;

use crate::chain::chain;

/// How long a response may take as a whole.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A JWKS is the longest response, of some KiB.
const MAX_BYTES: usize = 256 * 1_024;

#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Outbound {
    /// `ca_file` (PEM) adds certificate authorities, at least one; the error names it.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, String> {
        let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        if let Some(path) = ca_file {
            let invalid = |cause: &dyn std::fmt::Display| format!("{}: {cause}", path.display());
            let before = roots.len();
            for certificate in CertificateDer::pem_file_iter(path).map_err(|cause| invalid(&cause))? {
                let certificate = certificate.map_err(|cause| invalid(&cause))?;
                roots.add(certificate).map_err(|cause| invalid(&cause))?;
            }
            if roots.len() == before {
                return Err(invalid(&"the file has no PEM certificate"));
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|cause| cause.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // Plain HTTP too: within a cluster, issuers and collectors often have no certificate.
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector) })
    }

    /// The body of a successful response, else the reason why there is none.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Bytes, String> {
        let (status, body) = self.answer(request).await?;
        if status.is_success() { Ok(body) } else { Err(format!("the response was {status}")) }
    }

    /// The status and the body of a response, else the reason why there is none.
    pub(crate) async fn answer(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), String> {
        let read = async {
            let response = self.client.request(request).await.map_err(|cause| chain(&cause))?;
            let status = response.status();
            match Limited::new(response.into_body(), MAX_BYTES).collect().await {
                Ok(body) => Ok((status, body.to_bytes())),
                // The status says more than a page of an error that is too large.
                Err(_) if !status.is_success() => Ok((status, Bytes::new())),
                Err(cause) => Err(cause.to_string()),
            }
        };
        timeout(TIMEOUT, read)
            .await
            .unwrap_or_else(|_| Err(format!("no response within {} s", TIMEOUT.as_secs())))
    }
}
