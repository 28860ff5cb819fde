//! A registry that denies every pull without a password, at `localhost` of the first ordinary node:
//! containerd uses TLS for all other addresses.

use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use todostack_testbed::local::{plan::Node, record::Record};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::command;

pub const SERVER: &str = "localhost:5001";
pub const PRIVATE_IMAGE: &str = "localhost:5001/private/api:1";
// The node that reaches the registry.
pub const NODE: &str = "node-1";
// Responds with 401, or to a request with any password with the manifest. In Perl, which every Debian has.
const PROGRAM: &str = r#"
use IO::Socket::INET;
$| = 1;
my ($type, $digest, $file) = @ARGV;
open(my $opened, "<", $file) or die "cannot open: $!";
my $manifest = join("", <$opened>);
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 5001, Listen => 16, ReuseAddr => 1)
    or die "cannot listen: $!";
print "listening\n";
while (my $client = $server->accept) {
    my $request = <$client> // "";
    my $is_allowed = 0;
    while (<$client>) { $is_allowed = 1 if /^authorization:/i; last if /^\r?$/ }
    my $header = "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"private\"";
    my $body = "";
    if ($is_allowed) {
        $header = "200 OK\r\nContent-Type: $type\r\nDocker-Content-Digest: $digest";
        $body = $manifest;
    }
    my $length = length($body);
    $body = "" if $request =~ /^HEAD/;
    print $client "HTTP/1.1 $header\r\nContent-Length: $length\r\nConnection: close\r\n\r\n$body";
    close $client;
}
"#;

// A registry that runs until this is dropped.
#[derive(Debug)]
pub struct PrivateRegistry {
    _server: Child,
    _manifest: TempDir,
}

impl PrivateRegistry {
    // Returns when the registry listens. It serves the manifest of an image that the node has, whose layers
    // are therefore not pulled.
    pub async fn start(image: &str) -> Result<Self> {
        let record = Record::read().context("no local cluster runs on this machine")?;
        let node = record.ordinary_nodes().into_iter().next().context("no ordinary node")?;
        let ctr = |arguments: &[&str]| {
            let mut ctr = Command::new("ctr");
            ctr.arg("--address").arg(node.socket()).args(["--namespace", "k8s.io"]).args(arguments);
            ctr
        };
        let name = format!("name=={image}");
        let listed = command::output(&mut ctr(&["images", "list", &name])).await?;
        let row = listed.lines().nth(1).with_context(|| format!("{NODE} does not have {image}"))?;
        let mut columns = row.split_whitespace().skip(1);
        let (type_, digest) = columns.next().zip(columns.next()).context("no type and digest")?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("manifest.json");
        std::fs::write(&file, command::output(&mut ctr(&["content", "get", digest])).await?)?;

        let mut server = Command::new("nsenter")
            .arg(format!("--net={}", Node { number: 1 }.network_file().display()))
            .args(["perl", "-e", PROGRAM, type_, digest])
            .arg(&file)
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
        Ok(Self { _server: server, _manifest: folder })
    }
}
