//! What is printed about a namespace whose test failed, before it is deleted.

use crate::cluster::{Cluster, OPERATOR_NAMESPACE};

// Runs the commands that a user would run, in that order.
pub(crate) async fn print(cluster: &Cluster, namespace: &str) {
    let of_operator = "--selector=app.kubernetes.io/name=todostack-operator --tail=40";
    let commands = [
        "get todostacks --output yaml",
        "get pods,persistentvolumeclaims,jobs,ingresses --output wide",
        "describe pods",
        "get events --sort-by=.lastTimestamp",
        "logs --selector=app.kubernetes.io/managed-by=todostack-operator --all-containers --prefix",
        &format!("logs --namespace {OPERATOR_NAMESPACE} {of_operator}"),
    ];
    eprintln!("---- namespace {namespace} after the test failed ----");
    for command in commands {
        let line = format!("--namespace {namespace} {command}");
        let arguments: Vec<_> = line.split(' ').collect();
        match cluster.kubectl(&arguments).await {
            Ok(printed) => eprintln!("$ kubectl {line}\n{printed}"),
            Err(error) => eprintln!("$ kubectl {line}\n{error:#}"),
        }
    }
}
