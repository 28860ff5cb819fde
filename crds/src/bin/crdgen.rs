//! Prints the CustomResourceDefinition as YAML. `cargo xtask gen` writes it to `crds/todostacks.yaml` and
//! into the chart.

use std::process::ExitCode;

use kube::CustomResourceExt;
use todostack_crds::TodoStack;

fn main() -> ExitCode {
    match serde_saphyr::to_string(&TodoStack::crd()) {
        Ok(yaml) => {
            print!("{yaml}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("crdgen: failed to print the CustomResourceDefinition: {error}");
            ExitCode::FAILURE
        }
    }
}
