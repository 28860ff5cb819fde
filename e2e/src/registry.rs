//! A registry that denies every pull, at `localhost` of the first ordinary node: containerd uses TLS for all
//! other addresses.

use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use todostack_testbed::local::plan::Node;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

pub const PRIVATE_IMAGE: &str = "localhost:5001/private/api:1";
// Responds to each request with 401. In Perl, which every Debian has.
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

// A registry that runs until this is dropped.
#[derive(Debug)]
pub struct PrivateRegistry {
    _server: Child,
}

impl PrivateRegistry {
    // Returns when the registry listens.
    pub async fn start() -> Result<Self> {
        let mut server = Command::new("nsenter")
            .arg(format!("--net={}", Node { number: 1 }.network_file().display()))
            .args(["perl", "-e", SERVER])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("failed to run nsenter")?;
        let stdout = server.stdout.take().context("no standard output")?;
        // Until then, a pull fails with another error than 401.
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).await?;
        if line.trim() != "listening" {
            bail!("the registry exited with {}", server.wait().await?);
        }
        Ok(Self { _server: server })
    }
}
