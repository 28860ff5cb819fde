//! Waits until the cluster serves TodoStacks: operator and CRD may be installed in any order.

use std::time::Duration;

use kube::{Api, Client, api::ListParams};
use todostack_crds::TodoStack;

/// Pause between two questions.
const PAUSE: Duration = Duration::from_secs(2);

/// Returns when the cluster serves TodoStacks; says once that it waits.
pub async fn wait(client: &Client) -> Result<(), kube::Error> {
    let stacks: Api<TodoStack> = Api::all(client.clone());
    let mut told = false;
    loop {
        match stacks.list_metadata(&ListParams::default().limit(1)).await {
            Ok(_) => return Ok(()),
            // By code: where the whole group is not served, the body is no Status, and kube knows no reason.
            Err(kube::Error::Api(answer)) if answer.code == 404 => {
                if !told {
                    tracing::warn!(
                        "Waiting for the CustomResourceDefinition todostacks.todostack.dev: install the chart todostack-crds"
                    );
                    told = true;
                }
            }
            Err(kube::Error::Api(answer)) if answer.is_forbidden() => return Err(kube::Error::Api(answer)),
            Err(error) => tracing::warn!(error = %crate::error::chain(&error), "API server does not answer"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
