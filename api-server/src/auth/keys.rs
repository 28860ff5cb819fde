//! The public keys of the issuer: read from a file once, or fetched from its JWKS address and cached. Tokens
//! are checked in `auth`.
//!
//! # Guarantees
//! - An unknown `kid` fetches the keys again, so that a new key works at once, but not more often than
//!   `reread_after`, so that forged tokens cannot cause load on the issuer.
//! - While the issuer is unavailable, the cached keys stay in use.
//! - A change of the certificate authority's file counts from the next fetch on.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::body::Bytes;
use http::{Request, Uri};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep},
};

use super::{KeySource, reads::Reads};
use crate::outbound::Outbound;

/// The keys are fetched again after this time, so that a key that the issuer revoked expires.
const MAX_AGE: Duration = Duration::from_mins(5);

#[derive(Clone, Debug, thiserror::Error)]
pub enum KeysError {
    #[error("failed to read {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: Arc<std::io::Error>,
    },
    #[error("failed to fetch the JWKS from {url}: {why}")]
    Fetch { url: String, why: String },
    #[error("failed to use the JWKS of {place}: {why}")]
    Content { place: String, why: String },
    #[error(
        "failed to trust the certificate authority of the JWKS: {why}. Set TODOSTACK_JWKS_CA_FILE to a file of PEM certificates"
    )]
    Authority { why: String },
}

#[derive(Debug)]
struct Known {
    keys: Vec<Key>,
    read_at: Instant,
}

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    /// The member `alg`; without it, any algorithm of the key's family.
    algorithm: Option<String>,
    public: DecodingKey,
}

#[derive(Debug)]
struct Fetcher {
    url: Uri,
    ca_file: Option<PathBuf>,
}

impl Fetcher {
    /// Reads the file of the certificate authority, which may have changed since the last fetch.
    fn outbound(&self) -> Result<Outbound, KeysError> {
        Outbound::new(self.ca_file.as_deref()).map_err(|why| KeysError::Authority { why })
    }

    async fn get(&self) -> Result<Vec<Key>, KeysError> {
        let error = |why| KeysError::Fetch { url: self.place(), why };
        let outbound = self.outbound()?;
        let request = Request::get(self.url.clone()).body(http_body_util::Full::<Bytes>::default());
        let request = request.map_err(|cause| error(cause.to_string()))?;
        parse(&outbound.send(request).await.map_err(error)?, &self.place())
    }

    /// The URL for messages: without what may be a secret in it.
    fn place(&self) -> String {
        let scheme = self.url.scheme_str().unwrap_or("http");
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{}{port}{}", self.url.host().unwrap_or_default(), self.url.path())
    }
}

/// When the last attempt to read the keys was, and what reads them.
type Refresh = (Fetcher, Option<Instant>);

#[derive(Debug)]
pub(super) struct Keys {
    known: RwLock<Option<Arc<Known>>>,
    /// `None` for a file, which is read at startup only. The time is that of the last attempt.
    refresh: Option<Mutex<Refresh>>,
    /// Of the last attempt.
    failure: RwLock<Option<KeysError>>,
    pub(super) reads: Reads,
    reread_after: Duration,
}

impl Keys {
    pub(super) fn new(source: KeySource, reread_after: Duration) -> Result<Self, KeysError> {
        let (known, refresh) = match source {
            KeySource::File(path) => {
                let text = std::fs::read(&path)
                    .map_err(|source| KeysError::File { path: path.clone(), source: Arc::new(source) })?;
                let keys = parse(&text, &path.display().to_string())?;
                (Some(Arc::new(Known { keys, read_at: Instant::now() })), None)
            }
            KeySource::Url { url, ca_file } => {
                let fetcher = Fetcher { url, ca_file };
                fetcher.outbound()?;
                (None, Some(Mutex::new((fetcher, None))))
            }
        };
        let (failure, reads) = (RwLock::default(), Reads::default());
        Ok(Self { known: RwLock::new(known), refresh, failure, reads, reread_after })
    }

    /// Returns when the keys were read once.
    pub(super) async fn read_first(&self) {
        let Some(refresh) = &self.refresh else { return };
        while self.known().is_none() {
            // Its failure is logged.
            if self.read_again(refresh.lock().await).await.is_err() {
                sleep(self.reread_after).await;
            }
        }
    }

    /// Why there are no keys; `None` when there are.
    pub(super) fn missing(&self) -> Option<String> {
        if self.known().is_some() {
            return None;
        }
        let failure = self.failure.read().unwrap_or_else(PoisonError::into_inner);
        Some(failure.as_ref().map_or_else(|| "they are being read".to_owned(), ToString::to_string))
    }

    /// The key for a token, if the issuer has it.
    pub(super) async fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Option<DecodingKey>, KeysError> {
        let known = self.known();
        let found = known.as_ref().and_then(|known| known.find(kid, algorithm));
        let fresh = known.as_ref().is_some_and(|known| known.read_at.elapsed() < MAX_AGE);
        let Some(refresh) = &self.refresh else {
            return Ok(found);
        };
        if found.is_some() && fresh {
            return Ok(found);
        }
        // With a cached key, a request does not wait while another one fetches.
        let lock = match (refresh.try_lock(), found.is_some()) {
            (Ok(lock), _) => lock,
            (Err(_), true) => return Ok(found),
            (Err(_), false) => refresh.lock().await,
        };
        match self.read_again(lock).await {
            Ok(()) => Ok(self.known().and_then(|known| known.find(kid, algorithm))),
            Err(_) if known.is_some() => Ok(found),
            Err(error) => Err(error),
        }
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests that waited for the lock find that the one before them has just tried.
    async fn read_again(&self, mut refresh: MutexGuard<'_, Refresh>) -> Result<(), KeysError> {
        let (fetcher, tried) = &mut *refresh;
        if tried.is_some_and(|tried| tried.elapsed() < self.reread_after) {
            let failure = self.failure.read().unwrap_or_else(PoisonError::into_inner).clone();
            return failure.map_or(Ok(()), Err);
        }
        // Before the request, so that a failed attempt counts too.
        *tried = Some(Instant::now());
        let keys = fetcher.get().await;
        let failure = keys.as_ref().err().cloned();
        self.note(failure.as_ref());
        *self.failure.write().unwrap_or_else(PoisonError::into_inner) = failure;
        let known = Known { keys: keys?, read_at: Instant::now() };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(known));
        Ok(())
    }

    /// Counts an attempt, and logs it if it differs from the one before.
    fn note(&self, failure: Option<&KeysError>) {
        self.reads.count(failure.is_none());
        let before = self.failure.read().unwrap_or_else(PoisonError::into_inner).clone();
        let cached = self.known().is_some();
        match (before, failure) {
            (None, None) if cached => {}
            (_, None) => tracing::info!("Read the JWKS of the issuer"),
            (Some(before), Some(error)) if before.to_string() == error.to_string() => {}
            (_, Some(error)) if cached => {
                tracing::warn!(%error, "Failed to read the JWKS of the issuer again: using the cached keys");
            }
            (_, Some(error)) => {
                tracing::warn!(%error, "Failed to read the JWKS of the issuer: not ready until it is read");
            }
        }
    }
}

impl Known {
    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let mut fitting = self.keys.iter().filter(|key| key.fits(algorithm));
        match kid {
            Some(kid) => fitting.find(|key| key.kid.as_deref() == Some(kid)),
            // A token without `kid` is unambiguous only when one key fits.
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
        .map(|key| key.public.clone())
    }
}

impl Key {
    /// `None` for keys that are not for signatures, and for shared secrets.
    fn new(jwk: &Jwk) -> Option<Self> {
        if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
            return None;
        }
        let public = DecodingKey::from_jwk(jwk).ok()?;
        if public.family() == AlgorithmFamily::Hmac {
            return None;
        }
        let algorithm = jwk.common.key_algorithm.as_ref().map(ToString::to_string);
        Some(Self { kid: jwk.common.key_id.clone(), algorithm, public })
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        self.public.family() == algorithm.family()
            && self.algorithm.as_ref().is_none_or(|name| *name == format!("{algorithm:?}"))
    }
}

fn parse(text: &[u8], place: &str) -> Result<Vec<Key>, KeysError> {
    let content = |why: String| KeysError::Content { place: place.to_owned(), why };
    let set: JwkSet = serde_json::from_slice(text).map_err(|error| content(error.to_string()))?;
    let keys: Vec<Key> = set.keys.iter().filter_map(Key::new).collect();
    if keys.is_empty() { Err(content("it has no public key for signatures".to_owned())) } else { Ok(keys) }
}
