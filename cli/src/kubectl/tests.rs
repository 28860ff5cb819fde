//! The arguments for kubectl.

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::fixtures::{PASSWORD, Scene, well};

fn arguments(scene: Scene, superuser: bool, has_true_credentials: bool) -> Result<Vec<String>, Error> {
    let extra = ["--command".to_owned(), "select 1".to_owned()];
    let request = Psql { superuser, has_true_credentials, terminal: false, arguments: &extra };
    psql(&scene.resolved(), &request)
}

#[rstest]
#[case::application(false, "--username=todo")]
#[case::superuser(true, "--username=postgres")]
fn psql_runs_in_the_databases_pod_without_a_password(#[case] superuser: bool, #[case] role: &str) {
    let arguments = arguments(well(), superuser, true).unwrap();
    let exec = "exec --stdin statefulset/shop-db --container=postgres -- psql".split(' ');
    let expected: Vec<_> = exec.chain([role, "--dbname=todo", "--command", "select 1"]).collect();
    assert_eq!(arguments, expected);
}

#[test]
fn without_permission_to_list_secrets_psql_needs_the_flag_superuser() {
    let message = arguments(well(), false, false).unwrap_err().to_string();
    assert!(message.contains("--superuser"), "{message}");
    assert!(arguments(well(), true, false).is_ok());
}

#[test]
fn the_command_for_an_external_server_has_no_password() {
    let value = |text: &str| k8s_openapi::ByteString(text.as_bytes().to_vec());
    let data = [("host", "db.example.com"), ("dbname", "shop"), ("username", "app"), ("password", PASSWORD)];
    let secret = k8s_openapi::api::core::v1::Secret {
        data: Some(data.into_iter().map(|(key, text)| (key.to_owned(), value(text))).collect()),
        ..Default::default()
    };
    let scene = well()
        .with_spec(json!({"database": {"external": {"secret": {"name": "pg"}}}}))
        .with_external_secret(secret);
    let message = arguments(scene, false, true).unwrap_err().to_string();
    assert!(
        message.ends_with("psql --host=db.example.com --port=5432 --username=app --dbname=shop"),
        "{message}"
    );
    assert!(!message.contains(PASSWORD));
}

#[test]
fn a_sqlite_file_has_no_server() {
    let scene = well().with_spec(json!({"database": {"sqlite": {}}}));
    let message = arguments(scene, false, true).unwrap_err().to_string();
    assert!(message.contains("kubectl todostack url shop"), "{message}");
}

#[test]
fn logs_are_those_of_one_workload() {
    let selector = "todostack.dev/stack=shop,app.kubernetes.io/component=migration";
    let expected = format!("logs --selector={selector} --all-containers --prefix --tail=-1 --follow");
    let expected: Vec<_> = expected.split(' ').collect();
    assert_eq!(logs("shop", Workload::Migration, true, -1), expected);
}
