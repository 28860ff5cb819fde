//! Following the remedy that a stack reports, literally: what the message says is done, and nothing else.
//! What is diagnosed is in the tests.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::{command::output, namespace::Namespace};

// What of a remedy is followed: it may offer several ways.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    // Sets a field that the message names. The value is YAML: that of the message after `FIELD: `, or, where
    // the message cannot know it, this one.
    Set(&'a str, Option<&'a str>),
    // Runs the command that the message has after this text, in a folder with the files that it names.
    // Placeholders (`…`) are replaced in their order.
    Run { after: &'a str, folder: &'a Path, values: &'a [&'a str] },
}

impl Namespace {
    // Follows the remedy of `message` on a stack.
    pub async fn follow(&self, stack: &str, message: &str, step: Step<'_>) -> Result<()> {
        match step {
            Step::Set(field, value) => {
                ensure!(names(message, field), "`{message}` does not name {field}");
                let value = value.or_else(|| value_in(message, field)).context("the message has no value")?;
                let value: Value = serde_saphyr::from_str(value)?;
                let patch = field.rsplit('.').fold(value, |value, name| json!({name: value}));
                let parameters = PatchParams { field_manager: Some("user".into()), ..PatchParams::default() };
                self.stacks().patch(stack, &parameters, &Patch::Merge(&patch)).await?;
                Ok(())
            }
            Step::Run { after, folder, values } => {
                let mut command = command_in(message, after)
                    .with_context(|| format!("`{message}` has no command after `{after}`"))?;
                for value in values {
                    command = command.replacen('…', value, 1);
                }
                ensure!(!command.contains('…'), "`{command}` has another placeholder");
                let mut shell = self.cluster.command("sh")?;
                output(shell.arg("-c").arg(&command).current_dir(folder)).await.map(drop)
            }
        }
    }
}

// Whether the text names this field, and not only one below it.
fn names(text: &str, field: &str) -> bool {
    text.match_indices(field).any(|(at, _)| {
        let rest = &text[at + field.len()..];
        let mut next = rest.chars();
        match next.next() {
            Some('.') => next.next().is_none_or(char::is_whitespace),
            Some(sign) => !sign.is_alphanumeric(),
            None => true,
        }
    })
}

// The value after `FIELD: `, up to the next alternative or sentence.
fn value_in<'a>(text: &'a str, field: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("{field}: "))?;
    Some(up_to_end(rest))
}

fn command_in(text: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(after)?;
    let start = rest.find("kubectl ")?;
    Some(up_to_end(&rest[start..]).to_owned())
}

fn up_to_end(text: &str) -> &str {
    let ends = [", or ", ", and ", ". "].iter().filter_map(|end| text.find(end));
    ends.min().map_or(text, |end| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "It is wrong. Set spec.api.tolerations: [{key: a.b/c, operator: Exists}], or correct \
                           spec.api.nodeSelector. Or run: kubectl -n a create secret x --p=…, and wait";

    #[test]
    fn a_field_is_found_as_a_whole() {
        assert!(names(MESSAGE, "spec.api.nodeSelector"));
        assert!(names(MESSAGE, "spec.api.tolerations"));
        assert!(!names(MESSAGE, "spec.api"));
    }

    #[test]
    fn values_and_commands_end_with_their_alternative() {
        let value = value_in(MESSAGE, "spec.api.tolerations");
        assert_eq!(value, Some("[{key: a.b/c, operator: Exists}]"));
        let command = command_in(MESSAGE, "Or run: ");
        assert_eq!(command.as_deref(), Some("kubectl -n a create secret x --p=…"));
    }
}
