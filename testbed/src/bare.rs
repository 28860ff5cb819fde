//! A control plane without nodes, as child processes on loopback with their own ports and a temporary
//! folder: it runs beside the local cluster and ends with the value. What it is used for is the callers'.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use fs_err as fs;

use crate::binaries::Binaries;
use crate::cluster_tools::ClusterTools;
use crate::control_plane::certificates::Authority;
use crate::control_plane::{Place, Ports};
use crate::wait::{self, Probe};

pub mod child;

use child::Child;

pub struct ControlPlane {
    place: Place,
    authority: Authority,
    /// The administrator's access.
    pub tools: ClusterTools,
    children: Vec<Child>,
}

/// What differs from the programs' own defaults.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Requests a second that each client of the controller-manager may send.
    pub controller_manager_qps: u32,
}

impl ControlPlane {
    /// Starts one below `folder`, which must be empty, and waits until its API server is ready.
    pub fn start(binaries: &Binaries, folder: &Path, settings: Settings) -> anyhow::Result<Self> {
        let place = Place {
            folder: folder.to_owned(),
            address: Ipv4Addr::LOCALHOST,
            ports: free_ports()?,
            services: "10.112.0.0/14",
            pods: "10.128.0.0/10",
        };
        let authority = Authority::create(place.clone())?;
        authority.issue_control_plane()?;
        fs::write(audit_policy(&place), AUDIT_POLICY)?;
        let tools = ClusterTools {
            kubeconfig: place.pki("admin.conf"),
            kubectl: binaries.program("kubectl"),
            helm: binaries.program("helm"),
        };
        let mut started = Self { place, authority, tools, children: Vec::new() };
        for program in started.place.programs() {
            let mut command = Command::new(binaries.program(program.file));
            command.args(program.arguments).args(started.additional(program.name, settings));
            started.children.push(Child::start(program.name, &mut command, folder)?);
        }
        started.wait()?;
        Ok(started)
    }

    /// The audit log: each request when it was answered, as a line of JSON.
    pub fn audit_log(&self) -> PathBuf {
        self.place.folder.join("audit.log")
    }

    pub fn folder(&self) -> &Path {
        &self.place.folder
    }

    /// A kubeconfig of a user in a group, in the file `NAME.conf`.
    pub fn kubeconfig(&self, name: &str, user: &str, group: Option<&str>) -> anyhow::Result<PathBuf> {
        let path = self.place.folder.join(format!("{name}.conf"));
        let credential = self.authority.sign(user, group, vec![])?;
        fs::write(&path, self.authority.kubeconfig(&credential))?;
        Ok(path)
    }

    /// One of its processes: `etcd`, `kube-apiserver` and so on.
    pub fn process(&self, name: &str) -> Option<&Child> {
        self.children.iter().find(|child| child.name() == name)
    }

    fn additional(&self, program: &str, settings: Settings) -> Vec<String> {
        match program {
            "kube-apiserver" => vec![
                format!("--bind-address={}", self.place.address),
                // Endpoints must not have a loopback address, and nothing here uses the Service of the API.
                "--endpoint-reconciler-type=none".to_owned(),
                format!("--audit-log-path={}", self.audit_log().display()),
                format!("--audit-policy-file={}", audit_policy(&self.place).display()),
                "--audit-log-format=json".to_owned(),
                "--audit-log-maxsize=100000".to_owned(),
            ],
            "kube-controller-manager" => vec![
                format!("--kube-api-qps={}", settings.controller_manager_qps),
                format!("--kube-api-burst={}", settings.controller_manager_qps * 3 / 2),
                "--bind-address=127.0.0.1".to_owned(),
            ],
            "kube-scheduler" => vec!["--bind-address=127.0.0.1".to_owned()],
            _ => Vec::new(),
        }
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let Self { children, tools, .. } = self;
        wait::until("the API server to become ready", Duration::from_mins(1), || {
            match children.iter_mut().find_map(Child::exited) {
                Some(why) => Probe::Never(why),
                None => Probe::done_if(tools.is_ready(), ()),
            }
        })?;
        Ok(())
    }
}

/// Metadata of all requests, once, when they are answered.
const AUDIT_POLICY: &str = r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}]}"#;

fn audit_policy(place: &Place) -> PathBuf {
    place.folder.join("audit-policy.json")
}

/// Ports that nothing listens on now, below those that Linux gives to outgoing connections.
fn free_ports() -> anyhow::Result<Ports> {
    const FIRST: u16 = 20_000;
    const LAST: u16 = 30_000;
    // Another program of this kind begins elsewhere.
    let offset = u16::try_from(std::process::id() % u32::from(LAST - FIRST)).unwrap_or_default();
    let candidates = (FIRST + offset..LAST).chain(FIRST..FIRST + offset);
    // All are bound at once, so that they differ.
    let sockets = candidates.filter_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
    let sockets: Vec<TcpListener> = sockets.take(5).collect();
    let ports = sockets.iter().map(|socket| Ok(socket.local_addr()?.port()));
    let ports = ports.collect::<std::io::Result<Vec<_>>>()?;
    let [api_server, etcd, etcd_peers, controller_manager, scheduler] =
        ports.try_into().ok().context("no five ports are free")?;
    Ok(Ports { api_server, etcd, etcd_peers, controller_manager, scheduler })
}
