//! Whose a change of a pod template is, and what is read from objects of a rollout that has begun.

use std::sync::Arc;

use proptest::{prelude::*, sample::select};
use rstest::rstest;
use serde_json::{Value, json};
use todostack_crds::{TodoStackStatus, status::MigrationStatus};

use super::{rendering::UPGRADE, *};
use crate::{
    build::build,
    fixtures::{config, generated, listing, now, todostack},
    managed::{Deployment, StatefulSet},
    requirements::Requirements,
    resolve::{Inputs, resolve},
    stack_ref::StackRef,
};

// A stack whose objects exist, as an operator with these settings has written them.
struct Before {
    spec: &'static str,
    config: Config,
    renderer: &'static str,
}

// The same stack later.
#[derive(Clone, Debug)]
struct After {
    spec: &'static str,
    config: Config,
    renderer: &'static str,
    // Whether the last status is of an earlier generation.
    is_edited: bool,
}

fn resolved(stack: &TodoStack, observed: &Observed, config: &Config, renderer: &str) -> Stack {
    let generated = generated();
    let inputs = Inputs { observed, generated: &generated, config, rotate: None, now: now() };
    let mut stack = resolve(stack, inputs).unwrap();
    stack.upgrade.renderer = renderer.to_owned();
    stack
}

impl Before {
    fn observed(&self) -> Observed {
        let stack = todostack(self.spec);
        let first = resolved(&stack, &Observed::default(), &self.config, self.renderer);
        let mut listing = listing(&first);
        listing.managed.jobs.clear();
        let id = StackRef::try_from(&stack).unwrap();
        Observed::new(&id, &Requirements::from(&stack.spec), &listing)
    }

    fn later(&self, after: &After) -> (Stack, Observed) {
        let observed = self.observed();
        let mut stack = todostack(after.spec);
        let revision = "revision-1".to_owned();
        stack.metadata.generation = Some(2);
        stack.status = Some(TodoStackStatus {
            observed_generation: Some(if after.is_edited { 1 } else { 2 }),
            migrations: Some(MigrationStatus {
                image: self.config.api_image.clone(),
                revision,
                ..MigrationStatus::default()
            }),
            ..TodoStackStatus::default()
        });
        (resolved(&stack, &observed, &after.config, after.renderer), observed)
    }

    fn needs(&self, after: &After) -> (Need, Need) {
        let (stack, observed) = self.later(after);
        let need = |rollout| need(&stack, &observed, rollout, Gate::Open);
        (need(Rollout::Database), need(Rollout::Api))
    }
}

fn before(spec: &'static str) -> Before {
    Before { spec, config: config(), renderer: "one" }
}

fn after(spec: &'static str) -> After {
    After { spec, config: config(), renderer: "two", is_edited: false }
}

fn other_database(after: After) -> After {
    let postgres_repository = "other.example.com/postgres".into();
    After { config: Config { postgres_repository, ..after.config }, ..after }
}

fn other_api(after: After) -> After {
    let api_image = "registry.example.com/api:2".into();
    After { config: Config { api_image, ..after.config }, ..after }
}

fn other_domain(after: After) -> After {
    After { config: Config { cluster_domain: "other.local".into(), ..after.config }, ..after }
}

fn edited(after: After) -> After {
    After { is_edited: true, ..after }
}

fn by_the_same(after: After) -> After {
    After { renderer: "one", ..after }
}

const PARAMETERS: &str = "{database: {postgres: {parameters: {work_mem: 8MB}}}}";
const OWN_IMAGES: &str =
    "{api: {image: 'own/api:1'}, database: {postgres: {image: 'own.example.com/postgres:18'}}}";
const THREE: &str = "{api: {replicas: 3}}";
const LARGER: &str = "{database: {postgres: {storage: {size: 2Gi}}}}";
const SQLITE: &str = "{database: {sqlite: {}}}";
const NO: Need = Need::None;
const PERMIT: Need = Need::Permit;

#[rstest]
#[case::nothing_differs("{}", after("{}"), (NO, NO))]
#[case::the_default_of_the_database("{}", other_database(after("{}")), (PERMIT, NO))]
#[case::the_default_of_the_api("{}", other_api(after("{}")), (NO, PERMIT))]
#[case::the_default_of_the_api_with_sqlite(SQLITE, other_api(after(SQLITE)), (NO, PERMIT))]
#[case::the_domain("{}", other_domain(after("{}")), (NO, PERMIT))]
#[case::defaults_that_are_not_used(OWN_IMAGES, other_api(other_database(after(OWN_IMAGES))), (NO, NO))]
#[case::an_edit("{}", edited(after(PARAMETERS)), (NO, NO))]
#[case::an_edit_with_an_upgrade("{}", edited(other_database(after(PARAMETERS))), (NO, NO))]
#[case::an_edit_that_was_blocked_before("{}", by_the_same(after(PARAMETERS)), (NO, NO))]
#[case::an_edit_that_an_upgrade_met("{}", other_database(after(PARAMETERS)), (PERMIT, NO))]
#[case::an_edit_of_the_replicas("{}", edited(other_database(after(THREE))), (PERMIT, NO))]
#[case::an_edit_of_the_size("{}", edited(other_database(after(LARGER))), (PERMIT, NO))]
#[case::an_edit_of_the_api("{}", edited(other_api(after("{api: {logLevel: debug}}"))), (NO, NO))]
fn a_change_that_comes_from_the_operator_alone_needs_a_permit(
    #[case] spec: &'static str,
    #[case] after: After,
    #[case] expected: (Need, Need),
) {
    assert_eq!(before(spec).needs(&after), expected);
}

#[test]
fn other_credentials_are_no_change_of_the_operator() {
    let after = other_database(after("{}"));
    let (mut stack, observed) = before("{}").later(&after);
    stack.upgrade.database.as_mut().unwrap().revision = "earlier".into();
    assert_eq!(need(&stack, &observed, Rollout::Database, Gate::Open), NO);
}

#[test]
fn a_closed_and_an_invalid_window_are_awaited() {
    let (stack, observed) = before("{}").later(&other_database(after("{}")));
    let window: Window = "Sun 02:00-04:00".parse().unwrap();
    let wait = |gate| need(&stack, &observed, Rollout::Database, gate);
    assert_eq!(wait(Gate::Closed(&window)), Need::Wait(Wait::Window("Sun 02:00-04:00 UTC".into())));
    assert_eq!(wait(Gate::Invalid), Need::Wait(Wait::InvalidWindow));
    let (stack, observed) = before("{}").later(&after("{}"));
    assert_eq!(need(&stack, &observed, Rollout::Database, Gate::Invalid), NO);
}

fn annotation(stack: &Stack, resource: ManagedResource, key: &str) -> Option<String> {
    let Desired::Apply(object) = resource.desired(stack) else { panic!("{resource:?}") };
    object.metadata().annotations.as_ref()?.get(key).cloned()
}

#[test]
fn an_upgrade_is_marked_until_the_stack_changes_its_template() {
    let is_marked = |before: &Before, after: &After| {
        let (stack, _) = before.later(after);
        annotation(&stack, ManagedResource::PostgresStatefulSet, UPGRADE).is_some()
    };
    assert!(is_marked(&before("{}"), &other_database(after("{}"))));
    assert!(!is_marked(&before("{}"), &edited(other_database(after(PARAMETERS)))));
    let (mut stack, _) = before("{}").later(&edited(after(PARAMETERS)));
    for (is_rolling, expected) in [(true, true), (false, false)] {
        let found = stack.upgrade.database.as_mut().unwrap();
        found.rendering.is_upgrade = true;
        found.is_rolling = is_rolling;
        // Who edits a database that did not come back does not let the others go on.
        let mark = annotation(&stack, ManagedResource::PostgresStatefulSet, UPGRADE);
        assert_eq!(mark.is_some(), expected, "{is_rolling}");
    }
}

#[test]
fn what_waits_is_kept_as_it_is_and_nothing_else() {
    let (mut stack, _) = before("{}").later(&other_database(after("{}")));
    let kept = |stack: &Stack| -> Vec<_> {
        let kept = build(stack).into_iter().filter(|(_, desired)| *desired == Desired::Keep);
        kept.map(|(resource, _)| resource).collect()
    };
    let before = kept(&stack);
    stack.hold(vec![(Rollout::Database, Wait::Others)]);
    let mut after = kept(&stack);
    after.retain(|resource| !before.contains(resource));
    assert_eq!(after, [ManagedResource::PostgresStatefulSet]);
}

#[test]
fn with_the_settings_of_before_nothing_of_the_api_changes() {
    let (stack, observed) = before("{}").later(&other_domain(other_api(after("{}"))));
    let earlier = stack.upgrade.earlier.config(&Config { http_port: 8080, ..other_api(after("{}")).config });
    assert_eq!(earlier, Config { http_port: 8080, ..config() });
    let mut todostack = todostack("{}");
    todostack.status = before("{}").later(&after("{}")).0.migration.completed.map(|migrations| {
        TodoStackStatus { migrations: Some(migrations), observed_generation: Some(1), ..Default::default() }
    });
    let held = resolved(&todostack, &observed, &config(), "two");
    assert!(held.migration.is_done);
    assert_eq!(held.api.release.image, config().api_image);
    assert_eq!(held.upgrade.earlier, Earlier::default());
}

fn set(generation: i64, status: &Value) -> Arc<StatefulSet> {
    let metadata = json!({"name": "shop-db", "generation": generation, "annotations": {UPGRADE: "true"}});
    Arc::new(serde_json::from_value(json!({"metadata": metadata, "status": status})).unwrap())
}

fn set_status(observed: i64, current: &str, updated: i32, ready: i32) -> Value {
    json!({"observedGeneration": observed, "replicas": 1, "currentRevision": current,
        "updateRevision": "new", "updatedReplicas": updated, "readyReplicas": ready})
}

#[rstest]
#[case::the_controller_has_not_read_it(set(2, &set_status(1, "new", 1, 1)), true)]
#[case::the_old_pod_runs(set(2, &set_status(2, "old", 0, 1)), true)]
#[case::the_new_pod_is_not_ready(set(2, &set_status(2, "old", 1, 0)), true)]
#[case::a_pod_of_a_template_that_was_taken_back(set(2, &set_status(2, "new", 0, 0)), true)]
#[case::it_has_come_back(set(2, &set_status(2, "new", 1, 1)), false)]
#[case::it_had_come_back_and_is_down_again(set(2, &set_status(2, "new", 1, 0)), false)]
fn a_restart_ends_when_the_new_pod_has_been_ready(#[case] set: Arc<StatefulSet>, #[case] expected: bool) {
    assert_eq!(under_way(set.as_ref()), expected.then_some(Rollout::Database));
    let mut unmarked = StatefulSet::clone(&set);
    unmarked.metadata.annotations = None;
    assert_eq!(under_way(&unmarked), None);
}

#[rstest]
#[case::not_read(1, 2, 0, "NewReplicaSetAvailable", true)]
#[case::old_pods_run(2, 1, 0, "ReplicaSetUpdated", true)]
#[case::new_pods_are_not_ready(2, 2, 1, "ReplicaSetUpdated", true)]
#[case::past_its_deadline(2, 2, 1, "ProgressDeadlineExceeded", true)]
#[case::rolled_out(2, 2, 0, "NewReplicaSetAvailable", false)]
#[case::rolled_out_and_down_again(2, 2, 2, "NewReplicaSetAvailable", false)]
fn a_rollout_ends_when_the_new_pods_have_been_ready(
    #[case] observed: i64,
    #[case] updated: i32,
    #[case] unavailable: i32,
    #[case] reason: &str,
    #[case] expected: bool,
) {
    let conditions = json!([{"type": "Progressing", "status": "True", "reason": reason}]);
    let status = json!({"observedGeneration": observed, "replicas": 2, "updatedReplicas": updated,
        "unavailableReplicas": unavailable, "conditions": conditions});
    let metadata = json!({"name": "shop-api", "generation": 2, "annotations": {UPGRADE: "true"}});
    let deployment: Deployment =
        serde_json::from_value(json!({"metadata": metadata, "status": status})).unwrap();
    assert_eq!(under_way(&deployment), expected.then_some(Rollout::Api));
}

#[rstest]
#[case::runs(json!({}), true)]
#[case::failed(json!({"conditions": [{"type": "Failed", "status": "True"}]}), true)]
#[case::complete(json!({"conditions": [{"type": "Complete", "status": "True"}]}), false)]
fn a_migration_of_an_upgrade_holds_its_permit_until_it_succeeds(
    #[case] status: Value,
    #[case] expected: bool,
) {
    let metadata = json!({"name": "shop-migrate-1", "annotations": {UPGRADE: "true"}});
    let job: Job = serde_json::from_value(json!({"metadata": metadata, "status": status})).unwrap();
    assert_eq!(under_way(&job), expected.then_some(Rollout::Api));
}

#[test]
fn the_renderer_is_another_one_with_other_settings() {
    let configs = [config(), other_api(after("{}")).config, other_database(after("{}")).config];
    let renderers: std::collections::BTreeSet<_> = configs.iter().map(renderer).collect();
    assert_eq!(renderers.len(), configs.len());
    assert_eq!(renderer(&config()), renderer(&config()));
}

proptest! {
    // One that renders the same template writes the same annotations, whatever it is.
    #[test]
    fn one_operator_changes_nothing_by_itself(
        spec in select(&["{}", PARAMETERS, OWN_IMAGES, THREE, SQLITE][..]),
        other in select(&["{}", PARAMETERS, OWN_IMAGES, THREE][..]),
        is_edited in any::<bool>(),
    ) {
        let same = After { is_edited, ..by_the_same(after(spec)) };
        prop_assert_eq!(before(spec).needs(&same), (NO, NO));
        let (stack, _) = before(spec).later(&After { is_edited, ..after(spec) });
        for rollout in Rollout::ALL {
            let Some(found) = stack.upgrade.found(rollout) else { continue };
            let Desired::Apply(object) = rollout.resource().desired(&stack) else { continue };
            prop_assert_eq!(&Rendering::read(object.metadata()), &found.rendering);
        }
        if spec != SQLITE {
            prop_assert_eq!(before(spec).needs(&by_the_same(after(other))), (NO, NO));
        }
    }
}
