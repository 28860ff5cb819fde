//! The binary as a running server, and its log. Makes no assertions about it.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
    time::timeout,
};

use crate::client::Client;

/// A running server, and its log line by line.
pub struct Server {
    process: Child,
    pub log: Lines<BufReader<ChildStdout>>,
    pub client: Client,
    pub probes: Client,
    /// The log line with the settings, written at startup.
    pub started: Value,
    _folder: TempDir,
}

impl Server {
    /// On a new SQLite file.
    pub async fn start(log_level: &str) -> Self {
        Self::start_with(&[("TODOSTACK_LOG_LEVEL", log_level)]).await
    }

    pub async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_on("127.0.0.1", variables).await
    }

    /// On free ports of this address.
    pub async fn start_on(address: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = tokio::process::Command::new(env!("CARGO_BIN_EXE_todostack-api"))
            .arg(format!("--listen={address}:0"))
            .arg(format!("--operations-listen={address}:0"))
            .arg("--drain-delay=1")
            .env_clear()
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stdout.take().unwrap()).lines();
        let started = loop {
            let line: Value = serde_json::from_str(&log.next_line().await.unwrap().unwrap()).unwrap();
            if line["message"] == "Started" {
                break line;
            }
        };
        let client = |listener: &str| Client::new(format!("http://{}", started[listener].as_str().unwrap()));
        let (client, probes) = (client("listen"), client("operations_listen").undocumented());
        Self { process, log, client, probes, started, _folder: folder }
    }

    pub fn terminate(&self) {
        self.send("-TERM");
    }

    /// As Ctrl-C does.
    pub fn interrupt(&self) {
        self.send("-INT");
    }

    fn send(&self, signal: &str) {
        let pid = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// The rest of the log of a server that is shutting down.
    pub async fn wait_for_exit(mut self) -> Vec<Value> {
        let mut lines = Vec::new();
        let end = async {
            while let Some(line) = self.log.next_line().await.unwrap() {
                lines.push(serde_json::from_str(&line).unwrap());
            }
            self.process.wait().await.unwrap()
        };
        let status = timeout(Duration::from_secs(20), end).await.expect("the server exits");
        assert!(status.success());
        lines
    }
}

/// The lines with this message.
pub fn with_message<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["message"] == message).collect()
}
