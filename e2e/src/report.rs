//! What is printed about a namespace whose test failed, before it is deleted.

use crate::cluster::{Cluster, OPERATOR_NAMESPACE};

/// Runs the commands that a user would run, in that order.
pub(crate) async fn print(cluster: &Cluster, namespace: &str) {
    let commands: [&[&str]; 6] = [
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
            "--selector=app.kubernetes.io/name=todostack-operator",
            "--tail=40",
        ],
    ];
    eprintln!("---- namespace {namespace} after the test failed ----");
    for command in commands {
        let arguments = [&["--namespace", namespace], command].concat();
        match cluster.kubectl(&arguments).await {
            Ok(printed) => eprintln!("$ kubectl {}\n{printed}", arguments.join(" ")),
            Err(error) => eprintln!("$ kubectl {}\n{error:#}", arguments.join(" ")),
        }
    }
}
