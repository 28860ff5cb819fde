//! What is reconciled at a takeover.

use futures::FutureExt as _;
use kube::{
    core::DeserializeGuard,
    runtime::{reflector, watcher},
};
use todostack_crds::TodoStack;

use super::*;
use crate::leader::fence::Term;

fn stack(name: &str) -> Guarded {
    let mut stack = TodoStack::new(name, serde_json::from_value(serde_json::json!({})).unwrap());
    stack.metadata.namespace = Some("shops".into());
    DeserializeGuard(Ok(stack))
}

fn term() -> Term {
    let end = crate::clock::timer() + Duration::from_secs(10);
    Term { start_until: end, end_by: end }
}

#[tokio::test]
async fn every_stack_is_reconciled_at_each_takeover_also_those_that_came_while_standing_by() {
    let (store, mut writer) = reflector::store();
    writer.apply_watcher_event(&watcher::Event::Apply(stack("one")));
    let fence = Fence::closed();
    let mut triggers = std::pin::pin!(taken_over(&fence, store));
    let mut triggered = || {
        let names = std::iter::from_fn(|| triggers.next().now_or_never().flatten()).map(|it| it.name);
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    assert_eq!(triggered(), Vec::<String>::new());
    fence.set(Some(term()));
    assert_eq!(triggered(), ["one"]);
    fence.set(Some(term()));
    assert_eq!(triggered(), Vec::<String>::new(), "at a renewal");
    fence.set(None);
    writer.apply_watcher_event(&watcher::Event::Apply(stack("two")));
    assert_eq!(triggered(), Vec::<String>::new());
    fence.set(Some(term()));
    assert_eq!(triggered(), ["one", "two"]);
}
