//! Random sequences of changes, some before the stack has followed the ones before, with crashes at random
//! writes and watches that lag: the end is the same as without crashes.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    changes::{Change, difference},
    cluster::{Cluster, Fault, Plan},
};

const CHANGES: [Change; 14] = [
    Change::Edit("{api: {image: 'registry.example.com/api:2'}}"),
    Change::Edit("{api: {image: 'registry.example.com/api:3'}}"),
    Change::Edit("{api: {image: null}}"),
    Change::Edit("{api: {replicas: 1}}"),
    Change::Edit("{api: {replicas: 3}}"),
    Change::Edit("{exposure: {host: shop.example.com}}"),
    Change::Edit("{exposure: null}"),
    Change::Edit("{database: {postgres: {parameters: {max_connections: '50'}}}}"),
    Change::Edit("{database: {postgres: {storage: {size: 20Gi}}}}"),
    Change::Edit("{deletionPolicy: Delete}"),
    Change::Edit("{deletionPolicy: Retain}"),
    Change::Edit("{paused: true}"),
    Change::Edit("{paused: false}"),
    Change::Rotate,
];

// A change, what disturbs the operator after it, and the rounds until the next one.
#[derive(Clone, Debug)]
struct Step {
    change: Change,
    crash: Option<(usize, bool)>,
    rounds: usize,
    is_late: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let crash = option::weighted(0.7, (1..12_usize, any::<bool>()));
    let step = (select(&CHANGES[..]), crash, 0..8_usize, any::<bool>());
    let step = step.prop_map(|(change, crash, rounds, is_late)| Step { change, crash, rounds, is_late });
    vec(step, 1..6)
}

#[tokio::main(flavor = "current_thread")]
async fn end_state(steps: &[Step], is_deleted: bool, is_disturbed: bool) -> Vec<String> {
    let mut cluster = Cluster::new("{}");
    for Step { change, crash, rounds, is_late } in steps {
        change.make(&mut cluster);
        if let Some((at, is_stored)) = crash.filter(|_| is_disturbed) {
            let at = cluster.server().writes.len() + at;
            cluster.plan(Plan { fault: Fault::Kill, at, of_writes: true, is_stored });
        }
        for _ in 0..*rounds {
            cluster.reconcile().await;
            if is_disturbed && *is_late {
                cluster.reconcile().await;
            }
            cluster.run_controllers();
        }
    }
    Change::Edit("{paused: false}").make(&mut cluster);
    cluster.settle().await;
    if is_deleted {
        cluster.delete_stack();
    }
    // The generated usernames take turns, and a rotation that waits for another may be skipped.
    cluster.end_state().await.into_iter().map(|line| line.replace("todo_b", "todo")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn random_changes_with_crashes_lead_to_the_same_end(steps in steps(), is_deleted in any::<bool>()) {
        let expected = end_state(&steps, is_deleted, false);
        let end = end_state(&steps, is_deleted, true);
        prop_assert_eq!(difference(&expected, &end), Vec::<String>::new());
    }
}
