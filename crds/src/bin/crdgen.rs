//! Prints the CustomResourceDefinition as YAML. `cargo xtask gen` writes it to `crds/todostacks.yaml` and
//! into the chart.

use std::process::ExitCode;

fn main() -> ExitCode {
    match todostack_crds::yaml::crd() {
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
