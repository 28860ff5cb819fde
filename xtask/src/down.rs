//! `cargo xtask down`: removes the cluster, and prints where the cache stays.

use todostack_testbed::local::Owner;
use todostack_testbed::{cache, progress};

use crate::{cli::ProviderName, provider};

pub(crate) fn run(provider: Option<ProviderName>) -> anyhow::Result<()> {
    let provider = provider::choose(provider);
    progress::step("Removing the cluster", "5 s", || provider::stop(provider, Owner::ThisCheckout))?;
    println!(
        "Removed the cluster. The programs and images that were built for it stay in {}",
        cache::folder()?.display()
    );
    Ok(())
}
