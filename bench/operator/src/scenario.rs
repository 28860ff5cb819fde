//! What is measured, one scenario a file. How a life is put together is in `life.rs`.

pub(crate) mod broken;
pub(crate) mod chaos;
pub(crate) mod create;
pub(crate) mod drift;
pub(crate) mod edits;
pub(crate) mod foreign;
pub(crate) mod idle;
pub(crate) mod restart;
pub(crate) mod shards;
pub(crate) mod takeover;
pub(crate) mod upgrade;
