//! What is printed of a namespace whose test failed, before it is removed.

use crate::cluster::{Cluster, OPERATOR, OPERATOR_NAMESPACE};

/// What a person would look at, in the order they would.
pub(crate) async fn print(cluster: &Cluster, namespace: &str) {
    let looks: [&[&str]; 6] = [
        &["get", "todostacks", "--output", "yaml"],
        &["get", "pods,persistentvolumeclaims,jobs,ingresses", "--output", "wide"],
        &["describe", "pods"],
        &["get", "events", "--sort-by=.lastTimestamp"],
        &[
            "logs",
            "--selector=app.kubernetes.io/managed-by=todostack-operator",
            "--all-containers",
            "--prefix",
        ],
        &[
            "logs",
            "--namespace",
            OPERATOR_NAMESPACE,
            "--selector",
            "app.kubernetes.io/name=todostack-operator",
            "--tail=40",
        ],
    ];
    eprintln!(
        "---- namespace {namespace}, as the test left it (operator: {OPERATOR_NAMESPACE}/{OPERATOR}) ----"
    );
    for look in looks {
        let mut arguments = vec!["--namespace", namespace];
        arguments.extend_from_slice(look);
        match cluster.kubectl(&arguments).await {
            Ok(printed) => eprintln!("$ kubectl {}\n{printed}", arguments.join(" ")),
            Err(error) => eprintln!("$ kubectl {}\n{error:#}", arguments.join(" ")),
        }
    }
}
