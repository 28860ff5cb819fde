//! A real Kubernetes on one Linux machine without Docker, and what is built for it: programs, images, a
//! cache. The commands that use it are in `xtask/`; what is installed on the cluster is decided there.

pub mod addons;
pub mod bare;
pub mod binaries;
pub mod cache;
pub mod cluster_tools;
pub mod control_plane;
mod debian;
pub mod image;
pub mod key;
pub mod local;
pub mod lock;
pub mod postgres_image;
pub mod prerequisites;
pub mod process;
pub mod progress;
pub mod repository;
pub mod wait;
