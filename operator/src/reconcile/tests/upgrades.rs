//! An operator of another version or with other settings takes over from one under which all stacks were
//! Ready.

use std::collections::{BTreeMap, BTreeSet};

use rstest::rstest;
use todostack_stack::{config::Config, maintenance::WINDOW};

use super::*;
use crate::upgrades::Limits;

mod fleet;

use fleet::Fleet;

fn other_database() -> Config {
    Config { postgres_repository: "other.example.com/postgres".into(), ..fixtures::config() }
}

fn other_api() -> Config {
    Config { api_image: "registry.example.com/api:2".into(), ..fixtures::config() }
}

fn other_domain() -> Config {
    Config { cluster_domain: "other.local".into(), ..fixtures::config() }
}

#[rstest]
#[case::one(1)]
#[case::three(3)]
#[tokio::test]
async fn so_many_databases_restart_at_once_and_all_in_the_end(#[case] limit: u16) {
    let mut fleet = Fleet::ready(12, Limits { databases: limit, apis: 5 }).await;
    fleet.upgrade(other_database()).await;
    assert_eq!(fleet.most.databases, usize::from(limit));
    let images = fleet.images("statefulsets");
    assert_eq!(images, BTreeMap::from([("other.example.com/postgres:18".to_owned(), 12)]));
    // The API was not touched.
    assert_eq!(fleet.most.apis, 0);
}

#[rstest]
#[case::image(other_api())]
#[case::domain(other_domain())]
#[tokio::test]
async fn so_many_apis_are_migrated_and_rolled_out_at_once(#[case] config: Config) {
    let mut fleet = Fleet::ready(12, Limits { databases: 1, apis: 5 }).await;
    let image = config.api_image.clone();
    let logins = fleet.cluster.server().logins.len();
    fleet.upgrade(config).await;
    assert!((1..=5).contains(&fleet.most.apis), "{}", fleet.most.apis);
    assert_eq!(fleet.images("deployments"), BTreeMap::from([(image, 12)]));
    // No database restarts for another host name, and no password changes.
    assert_eq!((fleet.most.databases, fleet.cluster.server().logins.len()), (0, logins));
}

#[tokio::test]
async fn each_rollout_of_the_api_replaces_its_pods_once() {
    let mut fleet = Fleet::ready(1, Limits { databases: 1, apis: 1 }).await;
    let before = fleet.generation("deployments", "shop-api");
    fleet.upgrade(Config { cluster_domain: "cluster.local".into(), ..other_api() }).await;
    assert_eq!(fleet.generation("deployments", "shop-api"), before + 1);
}

#[tokio::test]
async fn stacks_that_wait_stay_ready_and_say_what_for() {
    let mut fleet = Fleet::ready(3, Limits { databases: 1, apis: 1 }).await;
    let config = Config { api_image: other_api().api_image, ..other_database() };
    fleet.take_over(Some(config));
    fleet.reconcile_all().await;
    let waiting = |stack: &str, kind: &str| fleet.cluster.condition_of(stack, kind);
    for stack in ["shop-1", "shop-2"] {
        for kind in ["Ready", "DatabaseReady", "MigrationsApplied", "ApiAvailable"] {
            assert_eq!(waiting(stack, kind)["status"], "True", "{}", waiting(stack, kind));
        }
        let reconciling = waiting(stack, "Reconciling");
        assert_eq!(
            (&reconciling["status"], &reconciling["reason"]),
            (&json!("True"), &json!("UpgradePending"))
        );
    }
    assert_eq!(waiting("shop", "Reconciling")["reason"], "Progressing");
}

#[tokio::test]
async fn a_database_that_does_not_come_back_stops_the_others_until_it_does() {
    let mut fleet = Fleet::ready(6, Limits { databases: 1, apis: 5 }).await;
    fleet.take_over(Some(other_database()));
    fleet.reconcile_all().await;
    fleet.cluster.server().store.stuck.insert("shop-db-0".into());
    fleet.run().await;
    // Nor after another process has taken over.
    fleet.take_over(None);
    fleet.run().await;
    let images = fleet.images("statefulsets");
    assert_eq!(images.get("other.example.com/postgres:18"), Some(&1), "{images:?}");
    let metrics = fleet.cluster.operator().metrics();
    assert!(metrics.contains("todostack_upgrades{pods=\"database\",state=\"stopped\"} 1"), "{metrics}");
    assert!(metrics.contains("todostack_upgrades{pods=\"database\",state=\"waiting\"} 5"), "{metrics}");

    fleet.cluster.server().store.stuck.clear();
    fleet.run().await;
    assert_eq!(fleet.images("statefulsets").get("other.example.com/postgres:18"), Some(&6));
    assert_eq!(fleet.most.databases, 1);
}

// The remedy is another operator: its template reaches the database that is stuck, and not the others first.
#[tokio::test]
async fn a_corrected_operator_continues_where_the_upgrade_stopped() {
    let mut fleet = Fleet::ready(4, Limits { databases: 1, apis: 5 }).await;
    fleet.take_over(Some(other_database()));
    fleet.reconcile_all().await;
    fleet.cluster.server().store.stuck.insert("shop-db-0".into());
    fleet.run().await;
    let corrected =
        Config { postgres_repository: "corrected.example.com/postgres".into(), ..other_database() };
    fleet.take_over(Some(corrected));
    fleet.reconcile("shop").await;
    assert_eq!(fleet.images("statefulsets").get("corrected.example.com/postgres:18"), Some(&1));
    fleet.cluster.server().store.stuck.clear();
    fleet.run().await;
    assert_eq!(fleet.images("statefulsets").get("corrected.example.com/postgres:18"), Some(&4));
    assert_eq!(fleet.most.databases, 1);
}

#[rstest]
#[case::parameters(json!({"spec": {"database": {"postgres": {"parameters": {"max_connections": "50"}}}}}), true)]
#[case::image(json!({"spec": {"database": {"postgres": {"image": "own.example.com/postgres:18"}}}}), true)]
// A HorizontalPodAutoscaler edits the spec too.
#[case::replicas(json!({"spec": {"api": {"replicas": 3}}}), false)]
#[case::annotation(json!({"metadata": {"annotations": {"note": "x"}}}), false)]
#[tokio::test]
async fn an_edit_of_a_database_does_not_wait_and_another_one_restarts_none(
    #[case] patch: serde_json::Value,
    #[case] is_restarted: bool,
) {
    let mut fleet = Fleet::ready(3, Limits { databases: 1, apis: 5 }).await;
    fleet.take_over(Some(other_database()));
    fleet.reconcile_all().await;
    fleet.cluster.server().store.stuck.insert("shop-db-0".into());
    fleet.run().await;
    let before = fleet.generation("statefulsets", "shop-2-db");
    fleet.cluster.patch("todostacks", "shop-2", &patch);
    fleet.reconcile("shop-2").await;
    let after = fleet.generation("statefulsets", "shop-2-db");
    assert_eq!(after > before, is_restarted, "{before} {after}");
    if is_restarted {
        // It is no permit that others wait for.
        fleet.cluster.server().store.stuck = BTreeSet::from(["shop-2-db-0".to_owned()]);
        fleet.run().await;
        assert_eq!(
            fleet.images("statefulsets").get("other.example.com/postgres:18"),
            Some(&expected(&patch))
        );
    }
}

// Stacks with the image of the upgraded operator in the end.
fn expected(patch: &serde_json::Value) -> usize {
    if patch.to_string().contains("own.example.com") { 2 } else { 3 }
}

#[rstest]
#[case::rotation(json!({"metadata": {"annotations": {"todostack.dev/rotate": "1"}}}))]
#[case::image(json!({"spec": {"api": {"image": "own.example.com/api:3"}}}))]
#[case::log_level(json!({"spec": {"api": {"logLevel": "debug"}}}))]
#[tokio::test]
async fn an_edit_of_an_api_does_not_wait(#[case] patch: serde_json::Value) {
    let mut fleet = Fleet::ready(2, Limits { databases: 1, apis: 1 }).await;
    fleet.take_over(Some(other_api()));
    fleet.cluster.server().store.stuck.insert("shop".into());
    fleet.reconcile_all().await;
    let before = fleet.generation("deployments", "shop-1-api");
    fleet.cluster.patch("todostacks", "shop-1", &patch);
    for _ in 0..12 {
        fleet.reconcile("shop-1").await;
        fleet.cluster.run_controllers();
    }
    assert!(fleet.generation("deployments", "shop-1-api") > before);
    assert_eq!(fleet.cluster.condition_of("shop-1", "Ready")["status"], "True");
}

#[tokio::test]
async fn an_upgrade_that_changes_no_template_writes_nothing() {
    let mut fleet = Fleet::ready(3, Limits { databases: 1, apis: 1 }).await;
    let writes = fleet.cluster.server().writes.len();
    fleet.upgrade(Config { allowed_hosts: "*.example.com".parse().unwrap(), ..fixtures::config() }).await;
    assert_eq!(fleet.cluster.server().writes.len(), writes);
}

// Whichever reconcile is the last one of a process, the next one allows no more than the limit.
#[rstest]
#[case::databases(other_database())]
#[case::apis(other_api())]
#[tokio::test]
async fn a_process_that_ends_at_any_moment_is_continued_within_the_limits(#[case] config: Config) {
    let limits = Limits { databases: 1, apis: 1 };
    let ready = Fleet::ready(4, limits).await;
    for ends_after in 1..30 {
        let mut fleet = ready.copy();
        fleet.ends_after = Some(ends_after);
        fleet.upgrade(config.clone()).await;
        assert!(fleet.most.databases <= 1 && fleet.most.apis <= 1, "{ends_after}: {:?}", fleet.most);
        assert_eq!(
            fleet.images("deployments"),
            BTreeMap::from([(config.api_image.clone(), 4)]),
            "{ends_after}"
        );
        let database = format!("{}:18", config.postgres_repository);
        assert_eq!(fleet.images("statefulsets"), BTreeMap::from([(database, 4)]), "{ends_after}");
    }
}

#[tokio::test]
async fn a_rejected_write_gives_the_permit_to_the_next() {
    let mut fleet = Fleet::ready(3, Limits { databases: 1, apis: 1 }).await;
    fleet.refuse("statefulsets", "shop-db");
    fleet.upgrade(other_database()).await;
    assert_eq!(fleet.images("statefulsets").get("other.example.com/postgres:18"), Some(&2));
}

#[rstest]
#[case::closed(Some(false), "UpgradePending", 0)]
#[case::open(Some(true), "AsExpected", 1)]
#[case::invalid(None, "UpgradePending", 0)]
#[tokio::test]
async fn an_upgrade_waits_for_the_maintenance_window(
    #[case] is_open: Option<bool>,
    #[case] reason: &str,
    #[case] upgraded: usize,
) {
    let window = match is_open {
        Some(true) => "00:00-24:00 UTC".to_owned(),
        // Opens in two hours or so.
        Some(false) => {
            let hour = (clock::now().strftime("%H").to_string().parse::<u32>().unwrap() + 2) % 24;
            format!("{hour:02}:00-{hour:02}:30 UTC")
        }
        None => "some day".to_owned(),
    };
    let mut fleet = Fleet::ready(1, Limits { databases: 1, apis: 1 }).await;
    fleet.cluster.patch("todostacks", "shop", &json!({"metadata": {"annotations": {WINDOW: window}}}));
    fleet.run().await;
    fleet.upgrade(other_database()).await;
    let reconciling = fleet.cluster.condition_of("shop", "Reconciling");
    assert_eq!(reconciling["reason"], reason, "{reconciling}");
    let images = fleet.images("statefulsets");
    assert_eq!(images.get("other.example.com/postgres:18").copied().unwrap_or_default(), upgraded);
    let available = fleet.cluster.condition_of("shop", "ApiAvailable");
    assert_eq!(available["reason"] == "MaintenanceWindowInvalid", is_open.is_none(), "{available}");
    assert_eq!(fleet.cluster.condition_of("shop", "Ready")["status"], "True");
    if is_open == Some(false) {
        let text = reconciling["message"].as_str().unwrap();
        assert!(text.contains(&window), "{text}");
    }
}

// Anyone can set labels and annotations on an object of their own.
#[tokio::test]
async fn an_object_of_someone_else_holds_no_permit() {
    let mut fleet = Fleet::ready(2, Limits { databases: 1, apis: 1 }).await;
    let metadata = json!({"name": "fake", "annotations": {"todostack.dev/upgrade": "true"}, "labels": {
        "todostack.dev/stack": "shop", "app.kubernetes.io/managed-by": todostack_crds::FIELD_MANAGER}});
    let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata,
        "spec": {"template": {"metadata": {"labels": {}}, "spec": {"containers": []}}}});
    fleet.cluster.server().store.create("statefulsets", set);
    fleet.cluster.server().store.stuck.insert("fake-0".into());
    fleet.take_over(Some(other_database()));
    fleet.reconcile("shop-1").await;
    assert_eq!(fleet.generation("statefulsets", "shop-1-db"), 2);
}

#[tokio::test]
async fn stacks_are_woken_in_turn_and_none_is_asked_again_and_again() {
    let mut fleet = Fleet::ready(10, Limits { databases: 1, apis: 1 }).await;
    fleet.upgrade(other_database()).await;
    // Each is reconciled when the operator starts, when its turn has come, and when its objects change.
    assert!(fleet.reconciles <= 10 * 12, "{}", fleet.reconciles);
    assert!(fleet.woken >= 9 && fleet.woken <= 20, "{}", fleet.woken);
}
