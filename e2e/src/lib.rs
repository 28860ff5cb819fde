//! What tests on a real cluster need: the cluster, namespaces, waiting, the todo API. The tests are in `tests/it`.

pub mod capture;
pub mod cluster;
mod confidential;
pub mod external;
pub mod figure;
pub mod image;
pub mod login;
pub mod namespace;
pub mod nfs_node;
pub mod outage;
pub mod readme;
pub mod registry;
mod report;
pub mod stack;
pub mod symptom;
pub mod todos;
pub mod tool;
pub mod turn;
pub mod wait;
mod written;
