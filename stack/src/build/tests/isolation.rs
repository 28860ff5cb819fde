//! What becomes of the objects of a stack that may not have its export or its host.

use rstest::rstest;
use strum::IntoEnumIterator as _;
use todostack_crds::Reason;

use crate::{
    build::{Desired, build},
    config::Config,
    finding::Severity,
    fixtures,
    managed::ManagedResource,
    observed::{Observed, conflicts::ExportHolder},
    part::Part,
    resolve::{Inputs, resolve},
    stack::Stack,
};

const SPEC: &str = "{
    database: {postgres: {storage: {nfs: {server: nas, path: /exports/shops}}}},
    exposure: {host: a.shops.example.com}}";
const ANY_HOST: &str = "{exposure: {ingress: {}}}";

fn stack(spec: &str, observed: &Observed, exports: &str, hosts: &str) -> Stack {
    let (allowed_exports, allowed_hosts) = (exports.parse().unwrap(), hosts.parse().unwrap());
    let config = &Config { allowed_exports, allowed_hosts, ..fixtures::config() };
    let generated = &fixtures::generated();
    let now = fixtures::now();
    resolve(&fixtures::todostack(spec), Inputs { observed, generated, config, rotate: None, now }).unwrap()
}

fn desired(stack: &Stack, resource: ManagedResource) -> Desired {
    build(stack).into_iter().find(|(it, _)| *it == resource).unwrap().1
}

fn reasons(stack: &Stack) -> Vec<Reason> {
    assert!(stack.findings.iter().all(|finding| finding.severity == Severity::Blocking));
    stack.findings.iter().map(|finding| finding.reason).collect()
}

fn ensure_storage_is_not_touched(stack: &Stack) {
    for resource in ManagedResource::iter().filter(|it| matches!(it.part(), Part::Storage | Part::Database)) {
        assert_eq!(desired(stack, resource), Desired::Keep, "{resource:?}");
    }
}

#[rstest]
#[case::stack(ExportHolder::Stack("shops/first".into()), "Use another export")]
#[case::claim(
    ExportHolder::Claim { namespace: "old".into(), name: "first-db".into() },
    "kubectl -n old delete pvc first-db"
)]
fn an_export_that_another_uses_is_not_touched(#[case] holder: ExportHolder, #[case] remedy: &str) {
    let observed = Observed { export_conflict: Some(holder), ..Observed::default() };
    let stack = stack(SPEC, &observed, "*", "*");
    assert_eq!(reasons(&stack), [Reason::VolumeShared]);
    assert!(stack.findings[0].remedy.contains(remedy), "{}", stack.findings[0].remedy);
    ensure_storage_is_not_touched(&stack);
}

#[rstest]
#[case::none("")]
#[case::another("nas:/exports/{namespace}-2")]
fn an_export_that_is_not_allowed_is_not_touched(#[case] exports: &str) {
    let stack = stack(SPEC, &Observed::default(), exports, "*");
    assert_eq!(reasons(&stack), [Reason::ExportNotAllowed]);
    assert!(stack.findings[0].remedy.contains("add nas:/exports/shops to the value nfs.allowed"));
    ensure_storage_is_not_touched(&stack);
}

#[test]
fn a_stack_without_an_export_needs_no_list() {
    for spec in ["{}", "{database: {sqlite: {}}}", "{database: {postgres: {storage: {storageClassName: a}}}}"]
    {
        assert_eq!(reasons(&stack(spec, &Observed::default(), "", "*")), [], "{spec}");
    }
}

#[test]
fn what_is_allowed_is_built() {
    let stack = stack(SPEC, &Observed::default(), "nas:/exports/{namespace}", "*.{namespace}.example.com");
    assert_eq!(reasons(&stack), []);
    for resource in [ManagedResource::PostgresVolume, ManagedResource::ApiIngress] {
        assert!(matches!(desired(&stack, resource), Desired::Apply(_)), "{resource:?}");
    }
}

// Which of two Ingresses for one host is served is undefined, so that of the later stack goes. One that was
// written when its host was allowed stays.
#[rstest]
#[case::taken(SPEC, true, "*", false, &[Reason::HostConflict])]
#[case::not_allowed(SPEC, false, "b.example.com", true, &[Reason::HostNotAllowed])]
#[case::both(SPEC, true, "", false, &[Reason::HostConflict, Reason::HostNotAllowed])]
#[case::any_host_not_allowed(ANY_HOST, false, "*.example.com", true, &[Reason::HostNotAllowed])]
#[case::no_ingress("{}", false, "", false, &[])]
fn an_ingress_for_a_host_that_the_stack_may_not_have_is_not_written(
    #[case] spec: &str,
    #[case] is_taken: bool,
    #[case] hosts: &str,
    #[case] is_kept: bool,
    #[case] expected: &[Reason],
) {
    let host_conflict = is_taken.then(|| "other/first".to_owned());
    let stack = stack(spec, &Observed { host_conflict, ..Observed::default() }, "*", hosts);
    assert_eq!(reasons(&stack), expected);
    let is_named = stack.findings.iter().any(|finding| finding.problem.contains("TodoStack other/first"));
    assert_eq!(is_named, is_taken);
    let desired = desired(&stack, ManagedResource::ApiIngress);
    assert!(if is_kept { desired == Desired::Keep } else { matches!(desired, Desired::Delete(_)) });
}
