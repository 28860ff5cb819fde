//! The TLS certificate of the Ingress: whether the Secret holds one for the host that is valid now. The
//! private key is not read: whether it matches is the Ingress controller's to say.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, pem::Pem};

/// Keys of a Secret of type `kubernetes.io/tls`.
const CERTIFICATE: &str = "tls.crt";
const PRIVATE_KEY: &str = "tls.key";
/// How long before its end a certificate is reported. cert-manager renews it after two thirds of its
/// duration.
const EXPIRES_SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is wrong with a certificate, as a clause whose subject is its Secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// An Ingress controller cannot serve the host with it.
    Invalid(String),
    /// It is valid, and not for long.
    ExpiresSoon(String),
}

/// The first fault of the certificate.
pub(super) fn fault(secret: &Secret, host: &str, now: Timestamp) -> Option<Fault> {
    let value = |key: &str| secret.data.as_ref().and_then(|data| data.get(key)).map(|value| &value.0);
    let Some(text) = value(CERTIFICATE) else {
        return Some(Fault::Invalid(format!("has no key {CERTIFICATE}")));
    };
    if value(PRIVATE_KEY).is_none() {
        return Some(Fault::Invalid(format!("has no key {PRIVATE_KEY}")));
    }
    // The first certificate is the server's; those of its issuers follow.
    let Some(Ok(pem)) = Pem::iter_from_buffer(text).next() else {
        return Some(Fault::Invalid(format!("has no PEM certificate in key {CERTIFICATE}")));
    };
    match pem.parse_x509() {
        Ok(certificate) => fault_of(&certificate, host, now),
        Err(_) => Some(Fault::Invalid(format!("has no X.509 certificate in key {CERTIFICATE}"))),
    }
}

fn fault_of(certificate: &X509Certificate<'_>, host: &str, now: Timestamp) -> Option<Fault> {
    let names = dns_names(certificate);
    if !names.iter().any(|name| covers(name, host)) {
        // The subject's common name does not count (RFC 9110, section 4.3.4).
        let issued = if names.is_empty() { "no DNS name".to_owned() } else { names.join(", ") };
        return Some(Fault::Invalid(format!("has a certificate for {issued}, and not for the host {host}")));
    }
    let validity = certificate.validity();
    let second = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let (begin, end) = (second(validity.not_before.timestamp()), second(validity.not_after.timestamp()));
    if now < begin {
        return Some(Fault::Invalid(format!("has a certificate that is not valid before {begin}")));
    }
    if end <= now {
        return Some(Fault::Invalid(format!("has a certificate that expired at {end}")));
    }
    (end.duration_since(now) < EXPIRES_SOON)
        .then(|| Fault::ExpiresSoon(format!("has a certificate that expires at {end}")))
}

fn dns_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.iter().flat_map(|extension| &extension.value.general_names);
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

/// Whether a name of a certificate matches a host. `*` stands for exactly one label, the first (RFC 6125,
/// section 6.4.3).
fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => name == host,
    }
}

#[cfg(test)]
mod tests;
