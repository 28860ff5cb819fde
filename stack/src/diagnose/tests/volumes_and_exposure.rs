//! Symptoms of volumes and of the Ingress.

use std::sync::Arc;

use rstest::rstest;
use serde_json::json;

use super::{DATABASE, bound, container, found, only, pod};
use crate::{
    finding::Severity,
    fixtures::now,
    observed::{Lookup, Observed},
    part::Part,
};
use todostack_crds::Reason;

#[rstest]
#[case::none("{}", Reason::NoDefaultStorageClass)]
#[case::named("database: {postgres: {storage: {storageClassName: gold}}}", Reason::StorageClassNotFound)]
#[case::sqlite("database: {sqlite: {storage: {storageClassName: gold}}}", Reason::StorageClassNotFound)]
fn a_claim_that_cannot_be_provisioned_is_explained(#[case] spec: &str, #[case] expected: Reason) {
    let finding = only(spec, &Observed::default());
    assert_eq!(
        (finding.part, finding.reason, finding.severity),
        (Part::Storage, expected, Severity::Blocking)
    );
}

#[rstest]
#[case::path(
    "mount.nfs: mounting nfs:/e failed, reason given by server: No such file or directory",
    Reason::ExportNotFound
)]
#[case::access("mount.nfs: access denied by server while mounting nfs:/e", Reason::MountAccessDenied)]
#[case::name(
    "mount.nfs: Failed to resolve server nfs: Name or service not known",
    Reason::NfsServerUnreachable
)]
#[case::resolver(
    "mount.nfs: Resource temporarily unavailable for nfs:/e on /var/lib/kubelet",
    Reason::NfsServerUnreachable
)]
#[case::port("mount.nfs: Connection refused for nfs:/e on /var/lib/kubelet", Reason::NfsServerUnreachable)]
#[case::silent("mount.nfs: Connection timed out for nfs:/e", Reason::NfsServerUnreachable)]
#[case::other("mount.nfs: an incorrect mount option was specified", Reason::FailedMount)]
fn a_failed_mount_quotes_the_mount_program(#[case] message: &str, #[case] expected: Reason) {
    let event = json!({
        "metadata": {}, "involvedObject": {}, "reason": "FailedMount",
        "message": format!("MountVolume.SetUp failed for volume \"v\" : mount failed: exit status 32\nMounting command: mount\nOutput: {message}\n"),
    });
    let observed = Observed { events: vec![serde_json::from_value(event).unwrap()], ..Observed::default() };
    let finding = only("database: {postgres: {storage: {nfs: {server: nfs, path: /e}}}}", &observed);
    assert_eq!((finding.part, finding.reason), (Part::Storage, expected));
    assert!(finding.problem.ends_with(message), "{}", finding.problem);
}

#[test]
fn a_mount_that_failed_before_the_pod_ran_is_no_finding() {
    let event = json!({
        "metadata": {}, "involvedObject": {"uid": "u"}, "reason": "FailedMount", "message": "mount.nfs: access denied by server",
    });
    let mut status = container(&json!({"running": {}}), &json!({}), 0);
    status["containerStatuses"][0]["containerID"] = json!("containerd://1");
    let mut observed = pod(DATABASE, &status);
    Arc::make_mut(&mut observed.pods[0]).metadata.uid = Some("u".into());
    observed.events = vec![serde_json::from_value(event).unwrap()];
    assert_eq!(found("database: {postgres: {storage: {nfs: {server: nfs, path: /e}}}}", &observed), []);
}

#[rstest]
#[case::new(59, None)]
#[case::old(60, Some(Reason::NoIngressAddress))]
fn an_ingress_without_an_address_is_reported_after_a_minute(
    #[case] seconds: i64,
    #[case] expected: Option<Reason>,
) {
    let mut observed = with_classes(&[true]);
    let created = now() - jiff::SignedDuration::from_secs(seconds);
    let ingress = json!({"metadata": {"name": "shop", "creationTimestamp": created}});
    observed.ingress = Some(Arc::new(serde_json::from_value(ingress).unwrap()));
    let findings = found("{exposure: {host: h}}", &observed);
    assert_eq!(
        findings.first().map(|finding| (finding.reason, finding.severity)),
        expected.map(|it| (it, Severity::Warning))
    );
}

#[test]
fn an_invalid_certificate_is_reported_with_its_secret() {
    let mut observed = with_classes(&[true]);
    let secret = json!({"metadata": {"name": "own"}, "data": {"cert": "eA=="}});
    observed.referenced.tls = Lookup::Found(serde_json::from_value(secret).unwrap());
    let finding = only("{exposure: {host: h, ingress: {tls: {secretName: own}}}}", &observed);
    assert_eq!((finding.reason, finding.severity), (Reason::TlsSecretInvalid, Severity::Blocking));
    assert!(finding.message().starts_with("Secret own has no key tls.crt. "), "{}", finding.message());
}

fn with_classes(defaults: &[bool]) -> Observed {
    let class = |(number, default): (usize, &bool)| {
        let mark = json!({"ingressclass.kubernetes.io/is-default-class": default.to_string()});
        Arc::new(
            serde_json::from_value(json!({"metadata": {"name": format!("c{number}"), "annotations": mark}}))
                .unwrap(),
        )
    };
    Observed { ingress_classes: defaults.iter().enumerate().map(class).collect(), ..bound() }
}

#[rstest]
#[case::none("{exposure: {host: h}}", &[], Some(Reason::NoDefaultIngressClass))]
#[case::no_default("{exposure: {host: h}}", &[false], Some(Reason::NoDefaultIngressClass))]
#[case::two("{exposure: {host: h}}", &[true, true], Some(Reason::MultipleDefaultIngressClasses))]
#[case::unknown("{exposure: {host: h, ingress: {className: x}}}", &[true], Some(Reason::IngressClassNotFound))]
#[case::known("{exposure: {host: h, ingress: {className: c0}}}", &[false], None)]
#[case::default("{exposure: {host: h}}", &[true, false], None)]
#[case::no_ingress("{}", &[], None)]
fn an_ingress_without_a_controller_is_explained(
    #[case] spec: &str,
    #[case] defaults: &[bool],
    #[case] expected: Option<Reason>,
) {
    let findings = found(spec, &with_classes(defaults));
    assert_eq!(findings.first().map(|finding| finding.reason), expected);
}
