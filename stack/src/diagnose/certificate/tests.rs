//! Certificates in all states. They are issued here, with fixed times.

use k8s_openapi::ByteString;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rstest::rstest;

use super::*;

const HOST: &str = "shop.example.com";

// A self-signed certificate for 2026, in PEM.
fn issue(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2026, 12, 31);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

fn secret(values: &[(&str, &str)]) -> Secret {
    let data = values.iter().map(|(key, value)| ((*key).to_owned(), ByteString((*value).into())));
    Secret { data: Some(data.collect()), ..Secret::default() }
}

fn found(certificate: &str, date: &str) -> Option<Fault> {
    let secret = secret(&[("tls.crt", certificate), ("tls.key", "key")]);
    fault(&secret, HOST, format!("{date}T00:00:00Z").parse().unwrap())
}

#[rstest]
#[case::exact(&[HOST])]
#[case::wildcard(&["*.example.com"])]
#[case::second(&["other.example.com", HOST])]
#[case::upper_case(&["SHOP.example.com"])]
fn a_certificate_for_the_host_has_no_fault(#[case] names: &[&str]) {
    assert_eq!(found(&issue(names), "2026-11-25"), None);
}

#[rstest]
#[case::other(&["other.example.com"], "for other.example.com, and not for the host shop.example.com")]
#[case::parent(&["example.com"], "for example.com, and not")]
#[case::two_labels(&["*.com"], "for *.com, and not")]
#[case::below(&["*.shop.example.com"], "for *.shop.example.com, and not")]
#[case::none(&[], "for no DNS name, and not")]
fn a_certificate_for_another_host_is_invalid(#[case] names: &[&str], #[case] mention: &str) {
    let Some(Fault::Invalid(problem)) = found(&issue(names), "2026-11-25") else { panic!("no fault") };
    assert!(problem.contains(mention), "{problem}");
}

#[rstest]
#[case::early("2025-12-31", Some(Fault::Invalid("has a certificate that is not valid before 2026-01-01T00:00:00Z".into())))]
#[case::first_day("2026-01-01", None)]
#[case::a_week_before("2026-12-24", None)]
#[case::last_week("2026-12-25", Some(Fault::ExpiresSoon("has a certificate that expires at 2026-12-31T00:00:00Z".into())))]
#[case::late("2026-12-31", Some(Fault::Invalid("has a certificate that expired at 2026-12-31T00:00:00Z".into())))]
fn a_certificate_is_valid_for_its_time(#[case] date: &str, #[case] expected: Option<Fault>) {
    assert_eq!(found(&issue(&[HOST]), date), expected);
}

#[rstest]
#[case::nothing(&[], "has no key tls.crt")]
#[case::other_keys(&[("cert", "x"), ("key", "x")], "has no key tls.crt")]
#[case::no_key(&[("tls.crt", "x")], "has no key tls.key")]
#[case::text(&[("tls.crt", "x"), ("tls.key", "x")], "has no PEM certificate in key tls.crt")]
#[case::another_pem(
    &[("tls.crt", "-----BEGIN X-----\nAAAA\n-----END X-----\n"), ("tls.key", "x")],
    "has no X.509 certificate in key tls.crt"
)]
fn a_secret_without_a_certificate_is_invalid(#[case] values: &[(&str, &str)], #[case] problem: &str) {
    let now = Timestamp::from_second(1_795_262_400).unwrap();
    assert_eq!(fault(&secret(values), HOST, now), Some(Fault::Invalid(problem.into())));
}
