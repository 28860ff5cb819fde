//! Runs the commands of a README, so that they keep working.

use std::os::unix::fs::symlink;

use anyhow::{Context as _, Result, ensure};

use crate::{cluster::repository, command, namespace::Namespace};

impl Namespace {
    // Runs the `sh` blocks of a README in this namespace, and returns their output.
    pub async fn run_readme(&self, readme: &str) -> Result<String> {
        let file = repository().join(readme);
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("failed to read {}", file.display()))?;
        let script = shell_blocks(&text);
        ensure!(!script.is_empty(), "{readme} has no ```sh block");

        // Only with `examples/`, so that a command cannot depend on other files of the checkout.
        let folder = tempfile::tempdir()?;
        symlink(repository().join("examples"), folder.path().join("examples"))?;
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::copy(&self.cluster.kubeconfig, &kubeconfig)?;
        let context = ["config", "set-context", "--current", "--namespace", &self.name];
        let mut kubectl = self.cluster.command("kubectl")?;
        command::output(kubectl.args(context).env("KUBECONFIG", &kubeconfig)).await?;

        let mut shell = self.cluster.command("sh")?;
        shell.args(["-eux", "-c", &script]).env("KUBECONFIG", &kubeconfig).current_dir(folder.path());
        command::output(&mut shell).await
    }
}

// All lines of the ```sh blocks of a Markdown text.
fn shell_blocks(text: &str) -> String {
    let mut inside = false;
    let mut lines = String::new();
    for line in text.lines() {
        match line.trim_end() {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => {
                lines.push_str(line);
                lines.push('\n');
            }
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shell_blocks_are_run() {
        let text = "# Title\n```sh\none\ntwo\n```\nwords\n```json\n{}\n```\n```sh\nthree\n```\n";
        assert_eq!(shell_blocks(text), "one\ntwo\nthree\n");
    }
}
