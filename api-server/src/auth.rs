//! Authentication: bearer tokens (RFC 6750) that are JWTs of one issuer for one audience (RFC 9068), checked
//! as RFC 8725 recommends. Which requests need a token is decided in `middleware`.

mod claims;
mod keys;
mod reads;
mod signature;

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, Method, Uri, header};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, errors::ErrorKind};
use prometheus_client::registry::Registry;
use todostack_store::Owner;
use tokio::time::Instant;

pub use self::keys::KeysError;
use self::{claims::Claims, keys::Keys};

/// The scope of GET and HEAD.
pub const READ: &str = "todos:read";
/// The scope of all other methods.
pub const WRITE: &str = "todos:write";
/// Signatures with a public key only: a service that verifies tokens with a shared secret could also issue
/// them.
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
/// Seconds by which the clocks of issuer and service may differ.
const LEEWAY: u64 = 60;
const MAX_SUBJECT_BYTES: usize = 255;

#[derive(Clone, Debug)]
pub enum KeySource {
    /// The JWKS address of the issuer. `ca_file` (PEM) adds authorities to those that browsers trust.
    Url { url: Uri, ca_file: Option<PathBuf> },
    /// A file with a JWKS.
    File(PathBuf),
}

#[derive(Clone, Debug)]
pub struct AuthSettings {
    pub issuer: String,
    /// One of the values of the claim `aud`.
    pub audience: String,
    /// A claim whose roles count as scopes; a path with dots leads into claims.
    pub roles_claim: Option<String>,
    pub keys: KeySource,
    /// The minimum time between two requests for the keys; [`AuthSettings::REREAD_AFTER`] outside of tests.
    pub reread_after: Duration,
}

impl AuthSettings {
    /// Long enough that forged tokens cause no load on the issuer, short enough for a new key.
    pub const REREAD_AFTER: Duration = Duration::from_secs(10);
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum AuthError {
    #[error("A bearer token is required: send Authorization: Bearer <token>.")]
    Missing,
    #[error("The token is invalid: {0}.")]
    Invalid(&'static str),
    #[error("The token lacks the scope {0}.")]
    Scope(&'static str),
    #[error("The public keys of the token issuer are not available; try again in a moment.")]
    Keys(#[from] KeysError),
}

#[derive(Debug)]
pub struct Auth {
    validation: Validation,
    keys: Keys,
    roles_claim: Option<String>,
}

/// Of a valid token.
pub(crate) struct Identity {
    /// The claim `sub`.
    pub(crate) subject: Owner,
    /// When the token is no longer accepted; `None` in the distant future.
    pub(crate) expires: Option<Instant>,
}

impl Auth {
    /// Reads a key file at once, so that an invalid one is an error at startup.
    pub fn new(settings: AuthSettings) -> Result<Self, KeysError> {
        let AuthSettings { issuer, audience, roles_claim, keys, reread_after } = settings;
        signature::install();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.algorithms.clear();
        validation.leeway = LEEWAY;
        // Off by default in jsonwebtoken.
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        Ok(Self { validation, keys: Keys::new(keys, reread_after)?, roles_claim })
    }

    /// Returns when the keys of the issuer were read once. Without, no request could be answered.
    pub(crate) async fn read_keys(&self) {
        self.keys.read_first().await;
    }

    /// Why there are no keys of the issuer yet; `None` when there are.
    pub(crate) fn missing_keys(&self) -> Option<String> {
        self.keys.missing()
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        self.keys.reads.register(registry);
    }

    /// Who has the token, if its scopes allow the method.
    pub(crate) async fn identify(&self, headers: &HeaderMap, method: &Method) -> Result<Identity, AuthError> {
        let token = bearer(headers)?;
        let header = decode_header(token).map_err(|_| AuthError::Invalid("it is not a JWT"))?;
        check_header(&header)?;
        let key = self.keys.find(header.kid.as_deref(), header.alg).await?;
        let key = key.ok_or(AuthError::Invalid("its signing key (kid) is unknown"))?;
        let mut validation = self.validation.clone();
        // Only the algorithm that both the list above and the key allow.
        validation.algorithms = vec![header.alg];
        let claims = decode::<Claims>(token, &key, &validation)
            .map_err(|error| AuthError::Invalid(invalid_reason(error.kind())))?
            .claims;
        let needed = if matches!(*method, Method::GET | Method::HEAD) { READ } else { WRITE };
        if !claims.grant(needed, self.roles_claim.as_deref()) {
            return Err(AuthError::Scope(needed));
        }
        let Claims { sub, exp, .. } = claims;
        if sub.is_empty() || sub.len() > MAX_SUBJECT_BYTES || sub.contains('\0') {
            return Err(AuthError::Invalid(
                "its subject (sub) is empty, longer than 255 bytes, or contains NUL",
            ));
        }
        Ok(Identity { subject: sub.into(), expires: exp.and_then(expiry) })
    }
}

fn expiry(exp: f64) -> Option<Instant> {
    let since_1970 = Duration::try_from_secs_f64(exp).ok()?.checked_add(Duration::from_secs(LEEWAY))?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Instant::now().checked_add(since_1970.saturating_sub(now))
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
        return Err(AuthError::Invalid("it has critical extensions (crit), which are not supported"));
    }
    // Tokens for another purpose, such as ID tokens, have another type (RFC 8725, 3.11).
    let types = ["jwt", "at+jwt", "application/at+jwt"];
    match &header.typ {
        Some(typ) if !types.contains(&typ.to_ascii_lowercase().as_str()) => {
            Err(AuthError::Invalid("it is not an access token"))
        }
        _ => Ok(()),
    }
}

/// The reason for the caller. Other errors would help only an attacker.
fn invalid_reason(error: &ErrorKind) -> &'static str {
    match error {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidIssuer => "its issuer (iss) is not the expected one",
        ErrorKind::InvalidAudience => "its audience (aud) does not include this service",
        ErrorKind::MissingRequiredClaim(_) => "it lacks exp, iss, aud or sub",
        ErrorKind::InvalidSignature => "its signature is invalid",
        _ => "it cannot be parsed",
    }
}

impl AuthError {
    /// The value of `WWW-Authenticate` (RFC 6750, 3); `None` when the caller cannot fix it.
    pub(crate) fn challenge(&self) -> Option<String> {
        let realm = "Bearer realm=\"todostack\"";
        match self {
            // A request without a token gets no error code (RFC 6750, 3.1).
            Self::Missing => Some(realm.to_owned()),
            Self::Invalid(why) => {
                Some(format!("{realm}, error=\"invalid_token\", error_description=\"{why}\""))
            }
            Self::Scope(scope) => Some(format!("{realm}, error=\"insufficient_scope\", scope=\"{scope}\"")),
            Self::Keys(_) => None,
        }
    }
}
