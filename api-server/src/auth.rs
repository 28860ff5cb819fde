//! Who calls: bearer tokens (RFC 6750) that are JWTs of one issuer for one audience (RFC 9068), read with the care of RFC 8725.

mod fetch;
mod keys;
mod signature;

use std::{path::PathBuf, time::Duration};

use http::{HeaderMap, Method, Uri, header};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, errors::ErrorKind};
use serde::Deserialize;
use todostack_store::Owner;

use self::keys::Keys;
pub use self::keys::KeysError;

/// The scope that reading takes.
pub const READ: &str = "todos:read";
/// The scope that changing takes.
pub const WRITE: &str = "todos:write";
/// Only signatures with a public key: with a shared secret, whoever checks tokens could make them.
pub const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// Seconds that the clocks of issuer and service may differ.
const LEEWAY: u64 = 30;
const MAX_SUBJECT_BYTES: usize = 255;

/// Where the issuer's public keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// Its JWKS address; `ca_file` adds authorities to those that browsers trust.
    Url {
        /// `https://…`, or `http://…` within a cluster.
        url: Uri,
        /// PEM certificates.
        ca_file: Option<PathBuf>,
    },
    /// A file with a JWKS.
    File(PathBuf),
}

/// Which tokens are taken.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// The claim `iss`.
    pub issuer: String,
    /// What `aud` must hold.
    pub audience: String,
    /// Whose signatures.
    pub keys: KeySource,
    /// How long after one reading of the keys an unknown key does not cause another; [`AuthSettings::REREAD_AFTER`].
    pub reread_after: Duration,
}

impl AuthSettings {
    /// Long enough that forged tokens make no load on the issuer, short enough for a new key.
    pub const REREAD_AFTER: Duration = Duration::from_secs(10);
}

/// Why a caller is not let in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuthError {
    /// No token.
    #[error("Send a token: Authorization: Bearer <token>.")]
    Missing,
    /// A token that does not hold.
    #[error("The token is not valid: {0}.")]
    Invalid(&'static str),
    /// A token that does not allow this.
    #[error("The token lacks the scope {0}.")]
    Scope(&'static str),
    /// Nobody can be let in now.
    #[error("The issuer's keys are not available; try again in a moment.")]
    Keys(#[from] KeysError),
}

/// Checks tokens.
#[derive(Debug)]
pub struct Auth {
    validation: Validation,
    keys: Keys,
}

#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    /// RFC 8693: words between spaces.
    #[serde(default)]
    scope: String,
}

impl Auth {
    /// Reads what can be read at once: a key file that is wrong is an error at the start.
    pub fn new(settings: AuthSettings) -> Result<Self, KeysError> {
        let AuthSettings { issuer, audience, keys, reread_after } = settings;
        signature::install();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.algorithms.clear();
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        Ok(Self { validation, keys: Keys::new(keys, reread_after)? })
    }

    /// The subject of the request's token, if it may do what the method does.
    pub(crate) async fn identify(&self, headers: &HeaderMap, method: &Method) -> Result<Owner, AuthError> {
        let token = bearer(headers)?;
        let header = decode_header(token).map_err(|_| AuthError::Invalid("it is no JWT"))?;
        check_header(&header)?;
        let key = self.keys.find(header.kid.as_deref(), header.alg).await?;
        let key = key.ok_or(AuthError::Invalid("it is signed with an unknown key"))?;
        let mut validation = self.validation.clone();
        // Pinned to the one algorithm that both the list above and the key allow.
        validation.algorithms = vec![header.alg];
        let Claims { sub, scope } = decode::<Claims>(token, &key, &validation)
            .map_err(|error| AuthError::Invalid(why(error.kind())))?
            .claims;
        let needed = if matches!(*method, Method::GET | Method::HEAD) { READ } else { WRITE };
        if !scope.split(' ').any(|scope| scope == needed) {
            return Err(AuthError::Scope(needed));
        }
        if sub.is_empty() || sub.len() > MAX_SUBJECT_BYTES || sub.contains('\0') {
            return Err(AuthError::Invalid("its subject is empty, longer than 255 bytes, or has a NUL"));
        }
        Ok(sub.into())
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, AuthError> {
    let value = headers.get(header::AUTHORIZATION).ok_or(AuthError::Missing)?;
    let (scheme, token) =
        value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(AuthError::Missing)?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).ok_or(AuthError::Missing)
}

fn check_header(header: &Header) -> Result<(), AuthError> {
    if !ALGORITHMS.contains(&header.alg) {
        return Err(AuthError::Invalid("its algorithm is not allowed"));
    }
    if header.crit.is_some() {
        return Err(AuthError::Invalid("it has critical extensions, of which none are known"));
    }
    // Tokens for another purpose, such as ID tokens with a type of their own, are not for us (RFC 8725, 3.11).
    let types = ["jwt", "at+jwt", "application/at+jwt"];
    match &header.typ {
        Some(typ) if !types.contains(&typ.to_ascii_lowercase().as_str()) => {
            Err(AuthError::Invalid("it is not an access token"))
        }
        _ => Ok(()),
    }
}

/// What may be told; the rest helps only those who try.
fn why(error: &ErrorKind) -> &'static str {
    match error {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidIssuer => "it has another issuer",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "it lacks one of exp, iss, aud, sub",
        ErrorKind::InvalidSignature => "its signature does not fit",
        _ => "it cannot be read",
    }
}

impl AuthError {
    /// The value of `WWW-Authenticate` (RFC 6750, 3); none when it is not the caller's fault.
    pub(crate) fn challenge(&self) -> Option<String> {
        let realm = "Bearer realm=\"todostack\"";
        match self {
            // A request without a token is told nothing more.
            Self::Missing => Some(realm.to_owned()),
            Self::Invalid(why) => {
                Some(format!("{realm}, error=\"invalid_token\", error_description=\"{why}\""))
            }
            Self::Scope(scope) => Some(format!("{realm}, error=\"insufficient_scope\", scope=\"{scope}\"")),
            Self::Keys(_) => None,
        }
    }
}
