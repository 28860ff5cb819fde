//! Starts a temporary Postgres, prints its URL and the folder of its programs, a line each, and removes it at
//! the end of the standard input (Ctrl-D). Arguments are settings: `max_connections=200`. How it is done is
//! in the library.

use std::io::Read as _;

use anyhow::Context as _;
use todostack_dev_postgres::{Options, Postgres};

fn main() -> anyhow::Result<()> {
    let mut options = Options::default();
    for argument in std::env::args().skip(1) {
        let (name, value) =
            argument.split_once('=').with_context(|| format!("{argument} is not NAME=VALUE"))?;
        options = options.setting(name, value);
    }
    let postgres = Postgres::start(&options)?;
    println!("{}\n{}", postgres.url(), postgres.programs().display());
    std::io::stdin().read_to_end(&mut Vec::new()).context("failed to read the standard input")?;
    Ok(())
}
