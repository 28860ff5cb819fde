//! The operator's process ends at each of its writes in turn, before or after the write is stored. Another
//! process, which remembers nothing, brings the stack to the same end.

use rstest::rstest;

use super::{
    changes::{Change, EXTERNAL, NFS, OWN_SECRET, SQLITE, difference},
    cluster::{Fault, Plan, Request},
};

const IMAGE: Change = Change::Edit("{api: {image: 'registry.example.com/api:2'}}");

#[rstest]
#[case::create_postgres("{}", Change::Create)]
#[case::create_nfs(NFS, Change::Create)]
#[case::create_own_secret(OWN_SECRET, Change::Create)]
#[case::create_external(EXTERNAL, Change::Create)]
#[case::create_sqlite(SQLITE, Change::Create)]
#[case::image("{}", IMAGE)]
#[case::image_external(EXTERNAL, IMAGE)]
#[case::image_sqlite(SQLITE, IMAGE)]
#[case::image_and_replicas("{}", Change::Edit("{api: {image: 'registry.example.com/api:2', replicas: 3}}"))]
#[case::one_replica("{}", Change::Edit("{api: {replicas: 1}}"))]
#[case::parameters("{}", Change::Edit("{database: {postgres: {parameters: {max_connections: '50'}}}}"))]
#[case::exposed("{}", Change::Edit("{exposure: {host: shop.example.com}}"))]
#[case::no_longer_exposed(NFS, Change::Edit("{exposure: null}"))]
#[case::resize("{}", Change::Edit("{database: {postgres: {storage: {size: 20Gi}}}}"))]
#[case::policy("{}", Change::Edit("{deletionPolicy: Delete}"))]
#[case::rotate("{}", Change::Rotate)]
#[case::password(OWN_SECRET, Change::Secret(&[("password", "other")]))]
#[case::username(OWN_SECRET, Change::Secret(&[("username", "other"), ("password", "other")]))]
#[case::to_own_secret("{}", Change::Edit("{database: {postgres: {credentialsSecret: {name: pg}}}}"))]
#[case::external_password(EXTERNAL, Change::Secret(&[("password", "other")]))]
#[case::retain("{}", Change::Delete)]
#[case::delete("{deletionPolicy: Delete}", Change::Delete)]
#[case::delete_nfs(NFS, Change::Delete)]
#[case::delete_external(
    "{deletionPolicy: Delete, database: {external: {secret: {name: pg}}}}",
    Change::Delete
)]
#[case::delete_sqlite(SQLITE, Change::Delete)]
#[tokio::test]
async fn a_crash_at_any_write_leads_to_the_same_end(#[case] spec: &str, #[case] change: Change) {
    let before = change.prepare(spec).await;
    let mut undisturbed = before.copy();
    change.make(&mut undisturbed);
    let expected = undisturbed.end_state().await;
    let writes: Vec<_> = undisturbed.server().writes.iter().map(Request::describe).collect();
    let logins = undisturbed.server().logins.len();
    for (at, write) in writes.iter().enumerate() {
        for is_stored in [true, false] {
            let mut cluster = before.copy();
            change.make(&mut cluster);
            cluster.plan(Plan { fault: Fault::Kill, at: at + 1, of_writes: true, is_stored });
            let end = cluster.end_state().await;
            let context = format!("killed at {write}, write {} of {writes:#?}, stored: {is_stored}", at + 1);
            assert!(cluster.server().plan.is_none(), "not {context}");
            assert_eq!(difference(&expected, &end), Vec::<String>::new(), "{context}");
            assert!(cluster.server().logins.len() <= logins, "more than one password for a login, {context}");
        }
    }
}
