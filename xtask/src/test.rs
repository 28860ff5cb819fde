//! stub

/// Runs.
pub(crate) fn run(_args: &crate::cli::Test) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
