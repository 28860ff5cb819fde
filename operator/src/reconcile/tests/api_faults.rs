//! The API server fails at each request in turn, in each way: the stack comes to the same end as without.
//! Watches are in `observe/feeds`.

use rstest::rstest;

use super::{
    changes::{Change, EXTERNAL, NFS, difference},
    cluster::{Fault, Plan},
};

const FAULTS: [(Fault, bool); 11] = [
    (Fault::Answer(409, "Conflict"), false),
    (Fault::Answer(410, "Expired"), false),
    (Fault::Answer(429, "TooManyRequests"), false),
    (Fault::Answer(500, "InternalError"), false),
    (Fault::Answer(503, "ServiceUnavailable"), false),
    (Fault::Answer(504, "Timeout"), false),
    (Fault::Answer(504, "Timeout"), true),
    (Fault::Drop, false),
    (Fault::Drop, true),
    (Fault::Silence, false),
    (Fault::Silence, true),
];

#[rstest]
#[case::create(NFS, Change::Create)]
#[case::image(EXTERNAL, Change::Edit("{api: {image: 'registry.example.com/api:2'}}"))]
#[case::rotate("{}", Change::Rotate)]
#[case::delete(NFS, Change::Delete)]
// The clock runs ahead while everything waits.
#[tokio::test(start_paused = true)]
async fn a_fault_at_any_request_leads_to_the_same_end(#[case] spec: &str, #[case] change: Change) {
    let before = change.prepare(spec).await;
    let mut undisturbed = before.copy();
    change.make(&mut undisturbed);
    let expected = undisturbed.end_state().await;
    let requests = undisturbed.server().requests;
    let logins = undisturbed.server().logins.len();
    for at in 1..=requests {
        // Each request has two of the faults, others than its neighbors.
        for index in [at, at + 5] {
            let (fault, is_stored) = FAULTS[index % FAULTS.len()];
            let mut cluster = before.copy();
            change.make(&mut cluster);
            cluster.plan(Plan { fault, at, of_writes: false, is_stored });
            let end = cluster.end_state().await;
            let context = format!("{fault:?} at request {at}, stored: {is_stored}");
            assert!(cluster.server().plan.is_none(), "not {context}");
            assert_eq!(difference(&expected, &end), Vec::<String>::new(), "{context}");
            assert!(cluster.server().logins.len() <= logins, "more than one password for a login, {context}");
        }
    }
}
