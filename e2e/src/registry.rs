//! A registry that lets nobody in, on the first ordinary node's own `localhost`: the one address that containerd asks
//! without TLS.

use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use todostack_testbed::local::plan::Node;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// An image there.
pub const PRIVATE_IMAGE: &str = "localhost:5001/private/api:1";
/// Answers each request by 401; Perl is part of every Debian.
const SERVER: &str = r#"
use IO::Socket::INET;
$| = 1;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 5001, Listen => 16, ReuseAddr => 1)
    or die "cannot listen: $!";
print "listening\n";
while (my $client = $server->accept) {
    while (<$client>) { last if /^\r?$/ }
    print $client "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"private\"\r\n"
        . "Content-Length: 0\r\nConnection: close\r\n\r\n";
    close $client;
}
"#;

/// The registry, until it is dropped.
#[derive(Debug)]
pub struct Registry {
    _server: Child,
}

impl Registry {
    /// Starts it; returns once it listens.
    ///
    /// # Errors
    /// The node is not on this machine, or there is no Perl.
    pub async fn start() -> Result<Self> {
        let mut server = Command::new("nsenter")
            .arg(format!("--net={}", Node { number: 1 }.network_file().display()))
            .args(["perl", "-e", SERVER])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("failed to run nsenter")?;
        let said = server.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line).await?;
        if line.trim() != "listening" {
            bail!("the registry ended: {}", server.wait().await?);
        }
        Ok(Self { _server: server })
    }
}
