//! Remedies of volumes with other data. That they heal is tested on the cluster.

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::resolved;

const NFS: &str = "{database: {postgres: {storage: {nfs: {server: nas, path: /exports/shop}}, \
                   initScripts: {configMap: {name: seed}}}}}";
const CLASS: &str = "{database: {postgres: {initScripts: {configMap: {name: seed}}}}}";

fn message(stack: &Stack, report: &Value) -> String {
    let report = serde_json::from_value(report.clone()).unwrap();
    finding(&report, stack).unwrap().message()
}

fn with_database(spec: &str) -> Stack {
    let mut stack = resolved(spec);
    let Database::Postgres(postgres) = &mut stack.database else { panic!("{spec}") };
    postgres.system_identifier = Some("73".to_owned());
    stack
}

#[rstest]
#[case::no_database_yet(resolved(NFS), "17", "Set spec.database.postgres.version: \"17\", or")]
#[case::unknown_version(resolved(NFS), "9.6", "Copy the data with pg_dump from a server of Postgres 9.6")]
#[case::immutable_version(
    with_database(NFS),
    "17",
    "Copy the data with pg_dump from a server of Postgres 17"
)]
fn the_version_is_to_be_set_only_where_it_can_be(
    #[case] stack: Stack,
    #[case] found: &str,
    #[case] remedy: &str,
) {
    let report = json!({"check": "version", "path": "/17/docker", "found": found, "wanted": "18"});
    let message = message(&stack, &report);
    assert!(message.contains(&format!("data of Postgres {found} in /17/docker")), "{message}");
    assert!(message.contains(remedy), "{message}");
}

#[rstest]
#[case::no_database_yet(
    resolved("{}"),
    "Set spec.database.postgres.version: \"17\", or spec.database.postgres.image to"
)]
#[case::immutable_version(with_database("{}"), "Set spec.database.postgres.image to an image of Postgres 18")]
fn an_image_of_another_version_is_named(#[case] stack: Stack, #[case] remedy: &str) {
    let report = json!({"check": "image", "found": "17", "wanted": "18"});
    let message = message(&stack, &report);
    let problem = "Image docker.io/library/postgres:18 has Postgres 17, and the spec asks for Postgres 18.";
    assert!(message.starts_with(problem) && message.contains(remedy), "{message}");
}

#[rstest]
#[case::beside("/postgres", "mkdir -p /e/18 && mv /e/postgres /e/18/docker && chown -R 999:999 /e/18")]
#[case::of_debian("/18/main", "mkdir -p /e/18 && mv /e/18/main /e/18/docker && chown -R 999:999 /e/18")]
#[case::at_the_root("", "mkdir -p /e/18/docker && mv /e/[A-Zabce-z]* /e/18/docker && chown -R 999:999 /e/18")]
#[case::above("/18", "mkdir -p /e/18/docker && mv /e/18/[A-Zabce-z]* /e/18/docker && chown -R 999:999 /e/18")]
#[case::below(
    "/18/docker/data",
    "mkdir -p /e/18/docker && mv /e/18/docker/data/[A-Zabce-z]* /e/18/docker && chown -R 999:999 /e/18"
)]
fn data_in_another_layout_is_moved_in_place(#[case] path: &str, #[case] command: &str) {
    let stack = resolved("{database: {postgres: {storage: {nfs: {server: nas, path: /e}}}}}");
    let report = json!({"check": "layout", "path": path, "found": "18", "wanted": "/18/docker"});
    let message = message(&stack, &report);
    assert!(message.ends_with(&format!("On the NFS server, move it: {command}")), "{message}");
}

#[rstest]
#[case::lost("lost")]
#[case::replaced("replaced")]
fn the_annotation_that_gives_up_the_database_is_written_out(#[case] check: &str) {
    let message = message(&with_database("{}"), &json!({"check": check, "found": "74", "wanted": "73"}));
    let command = "kubectl -n shops annotate todostack shop --overwrite todostack.dev/accept-new-volume=73";
    assert!(message.ends_with(command), "{message}");
}

#[test]
fn a_failed_init_script_is_named_with_the_error_and_how_to_begin_again() {
    let error = "psql:/docker-entrypoint-initdb.d/20-bad.sql:1: ERROR:  syntax error";
    let report = json!({"check": "script", "path": "20-bad.sql", "found": error, "wanted": ""});
    let message = message(&resolved(CLASS), &report);
    let problem = format!(
        "Init script 20-bad.sql failed, so the database is not initialized: {error}. Correct it in ConfigMap seed"
    );
    let command = "kubectl -n shops delete pods -l ";
    assert!(message.starts_with(&problem) && message.contains(command), "{message}");
}
