//! What a stack costs the API server: each object is written once, then the status and an Event, and what
//! cannot have changed is not read.

use rstest::rstest;

use super::cluster::{Cluster, Request};

const NFS: &str =
    "{exposure: {host: shop.example.com}, database: {postgres: {storage: {nfs: {server: nas, path: /e}}}}}";

#[rstest]
#[case::postgres("{}")]
#[case::exposed("{exposure: {host: shop.example.com}}")]
#[case::nfs(NFS)]
#[case::own_secret("{database: {postgres: {credentialsSecret: {name: pg}}}}")]
#[case::external("{database: {external: {secret: {name: pg}}}}")]
#[case::sqlite("{database: {sqlite: {}}}")]
#[tokio::test]
async fn a_new_stack_costs_a_write_for_each_object_a_status_and_an_event(#[case] spec: &str) {
    let mut cluster = Cluster::as_in_production(spec);
    cluster.settle().await;
    assert_eq!(cluster.condition("Ready")["status"], "True", "{}", cluster.condition("Ready"));
    let server = cluster.server();
    let requests: Vec<_> = server.log.iter().map(Request::describe).collect();
    let of_stack = |write: &&Request| matches!(write.resource.as_str(), "todostacks" | "events");
    let (reports, objects): (Vec<_>, Vec<_>) = server.writes.iter().partition(of_stack);
    let mut names: Vec<_> = objects.iter().map(|write| write.describe()).collect();
    names.sort();
    names.dedup();
    assert_eq!((objects.len(), reports.len()), (names.len(), 2), "{requests:#?}");
    // The reconciles after it is Ready are those of the test.
    let end = server.log.iter().rposition(Request::is_write).unwrap();
    let reads: Vec<_> = server.log[..end].iter().filter(|request| !request.is_write()).collect();
    assert!(reads.len() <= 10 && reads.iter().all(|read| !read.name.is_empty()), "{requests:#?}");
}
