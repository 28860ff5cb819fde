//! Verifies the signatures of tokens by ring, which TLS uses too. Which tokens are valid is not decided here.
//!
//! jsonwebtoken's own `rust_crypto` takes 8 to 10 times as long for RSA (RS256: 284 µs instead of 31) and 5
//! times for ES256 (408 instead of 78), where a whole request takes 28 µs. Its `aws_lc_rs` would be a second
//! provider beside that of rustls, built from C (deny.toml).

use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind,
    crypto::{CryptoProvider, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
    signature::{Error, Verifier},
};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

static PROVIDER: CryptoProvider = CryptoProvider {
    // This service creates no tokens.
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes it the provider of this process; a second call changes nothing.
pub(super) fn install() {
    if PROVIDER.install_default().is_err() {
        tracing::trace!("The signature provider is already installed");
    }
}

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the type that jsonwebtoken asks for")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if rsa(*algorithm).is_none() && other(*algorithm).is_none() {
        return Err(ErrorKind::UnsupportedAlgorithm.into());
    }
    Ok(Box::new(RingVerifier { algorithm: *algorithm, key: key.clone() }))
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let verified = match (self.key.kind(), rsa(self.algorithm), other(self.algorithm)) {
            (DecodingKeyKind::RsaModulusExponent { n, e }, Some(parameters), _) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            (DecodingKeyKind::SecretOrDer(key), _, Some(algorithm)) => {
                UnparsedPublicKey::new(algorithm, key).verify(message, signature)
            }
            // A key of another family than the algorithm.
            _ => Err(ring::error::Unspecified),
        };
        verified.map_err(|_| Error::new())
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

fn other(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        Algorithm::ES256 => Some(&ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Some(&ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => Some(&ED25519),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public half of a key for this test, and a signature of it (RSASSA-PKCS1-v1_5 with SHA-256, by
    /// OpenSSL).
    const N: &str = "u6gQDHz72bvpfg9_FKKbt4ESTMhI7B_zosnu6wS6KVBheph3RH5UvL-77N9uTKJz5s4DLYUeM8UzGDtn3UXZXvUUGZmkhNDOvpCwPbpedlYHtMaQut6qe7v9BWspQ6YauUVDVSIWcyit3PHN7zdvO0nLQ3zAgIDAEhmDg7fhIVb3ViV5O0OIqyBXqXSliPKN5i9S8b3elG73zejuxQWXGMHkHweeAUwTK-zlGVL7AKEgL6q6hdIBrOqJrksombiXn78-2nDOGh1sBR7aqf58jjiM6QtxT9z85PGVTRBlzrlvdwsflqVsfa6lgK2Sx6NOrDfPq1Kq7vxrjkZ2th-ahw";
    const MESSAGE: &[u8] = b"a message";
    const SIGNATURE: &str = "cx9-biQN-UX_a0FI_HIaZGB07bBhD04lYEIAgTZUJm4UzefKCcRpM6pyT7ONmxHmZ20xe-aT3weTRTooIYlFnSGjuzRJu6TCweq2LmFSD4IthTs56TqRb0cjZsRmZlnyRMnFixBHFLm8MH8eOhGdMb1tJnDcQ33BPV2I5wlOYJDjXCVuK707z2hvVuxO6QzKFgWTEqAcFTlzybYB0qVxPfhSGMh-SqWuAcCUQnkAdgLmqYnEe5fSz07-PSYV4EjWcQK88ISgBwCOzEURqweQv8H-aEDy0-OLpLz3g9qOtFgxm0clFnGLwYqnqTvn1h7Z4WM4N2z3Uhi10I-eTULvOQ";

    #[test]
    fn an_rsa_signature_of_another_library_holds_and_of_another_message_does_not() {
        install();
        let key = DecodingKey::from_rsa_components(N, "AQAB").unwrap();
        let verify = |message, algorithm| jsonwebtoken::crypto::verify(SIGNATURE, message, &key, algorithm);
        assert!(verify(MESSAGE, Algorithm::RS256).unwrap());
        assert!(!verify(b"another message", Algorithm::RS256).unwrap());
        assert!(!verify(MESSAGE, Algorithm::ES256).unwrap(), "a key of another family");
        assert!(verify(MESSAGE, Algorithm::HS256).is_err(), "a shared secret");
    }
}
