//! What tests on a real cluster share: access to the cluster, namespaces, waiting, clients. The tests are in
//! `tests/it`.

pub mod admission_policy;
pub mod capture;
pub mod cluster;
pub mod cluster_objects;
pub mod command;
pub mod credentials;
pub mod events;
pub mod external_database;
pub mod figure;
pub mod image;
pub mod namespace;
pub mod nfs_node;
pub mod nfs_stand_in;
pub mod operator_process;
pub mod outage;
mod outputs;
pub mod permit;
pub mod readers;
pub mod readme;
pub mod registry;
pub mod release;
pub mod remedy;
mod report;
mod secret_values;
pub mod stack;
pub mod symptom;
pub mod todos;
pub mod toxiproxy;
pub mod volumes;
pub mod wait;
pub mod writers;
