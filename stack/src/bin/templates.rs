//! Prints the pod templates of this version as JSON, for `released-templates.json`: at a release, and only
//! then.

use std::process::ExitCode;

use todostack_stack::fixtures::templates;

fn main() -> ExitCode {
    match serde_json::to_string_pretty(&templates()) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
