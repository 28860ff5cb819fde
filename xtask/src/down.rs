//! `cargo xtask down`: removes the cluster, and says what it keeps.

use todostack_testbed::local::Whose;
use todostack_testbed::{cache, progress};

use crate::{cli, provider};

/// Runs the command.
pub(crate) fn run(args: &cli::Down) -> anyhow::Result<()> {
    let provider = provider::choose(args.provider);
    progress::step("Removing the cluster", "5 s", || provider::stop(provider, Whose::ThisCheckouts))?;
    println!("The cluster is gone. What was built for it stays in {}", cache::folder()?.display());
    Ok(())
}
