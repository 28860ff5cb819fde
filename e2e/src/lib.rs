//! What tests on a real cluster need: the cluster, namespaces, waiting, the todo API. The tests are in `tests/it`.

pub mod cluster;
pub mod figure;
pub mod namespace;
pub mod nfs_node;
pub mod readme;
mod report;
pub mod stack;
pub mod todos;
pub mod tool;
pub mod turn;
pub mod wait;
