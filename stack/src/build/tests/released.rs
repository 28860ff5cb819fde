//! What an upgrade from the last release restarts is in the changelog: users choose the time of an upgrade by
//! it. `released-templates.json` has the templates of that release.

use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::{Value, json};

use crate::fixtures::templates;

const RELEASED: &str = include_str!("../../../released-templates.json");
const CHANGELOG: &str = include_str!("../../../../CHANGELOG.md");

// What the changelog must say, by the kind whose template differs.
fn announcement(kind: &str) -> &'static str {
    if kind.ends_with(" StatefulSet") { "restarts databases" } else { "replaces API pods" }
}

fn unreleased(changelog: &str) -> &str {
    let section = changelog.split("\n## ").find(|section| section.starts_with("Unreleased"));
    section.expect("the changelog has a section \"Unreleased\"")
}

// Templates that differ, and what the changelog does not say.
fn unannounced(
    released: &BTreeMap<String, Value>,
    current: &BTreeMap<String, Value>,
    changelog: &str,
) -> Vec<String> {
    let section = unreleased(changelog);
    // One that is new, or gone, restarts nothing. Pods of a Job do not serve.
    let differs = |(name, template): &(&String, &Value)| {
        !name.ends_with(" Job") && current.get(*name).is_some_and(|current| current != *template)
    };
    let differing = released.iter().filter(differs).map(|(name, _)| name);
    let silent = differing.filter(|name| !section.contains(announcement(name)));
    silent.map(|name| format!("{name}: CHANGELOG.md does not say \"{}\"", announcement(name))).collect()
}

#[test]
fn what_an_upgrade_restarts_is_in_the_changelog() {
    let released: BTreeMap<String, Value> = serde_json::from_str(RELEASED).unwrap();
    let current = templates();
    assert!(!released.is_empty() && released.keys().any(|name| current.contains_key(name)));
    assert_eq!(unannounced(&released, &current, CHANGELOG), Vec::<String>::new());
}

#[rstest]
#[case::nothing_differs(&[], "", true)]
#[case::silence(&["a StatefulSet"], "", false)]
#[case::announced(&["a StatefulSet"], "- Restarts: this version restarts databases.", true)]
#[case::of_the_api_alone(&["a Deployment"], "- It replaces API pods.", true)]
#[case::only_one_of_two(&["a StatefulSet", "a Deployment"], "- It replaces API pods.", false)]
#[case::a_migration_alone(&["a Job"], "", true)]
#[case::in_an_earlier_section(&["a StatefulSet"], "## 0.1.0\n\n- This version restarts databases.", false)]
fn a_template_that_differs_must_be_announced(
    #[case] differing: &[&str],
    #[case] line: &str,
    #[case] is_announced: bool,
) {
    let released: BTreeMap<_, _> = ["a StatefulSet", "a Deployment", "a Job", "gone StatefulSet"]
        .map(|name| (name.to_owned(), json!({"image": 1})))
        .into();
    let mut current = released.clone();
    current.remove("gone StatefulSet");
    for name in differing {
        current.insert((*name).to_owned(), json!({"image": 2}));
    }
    let changelog =
        format!("# Changelog\n\n## Unreleased\n\n{line}\n\n## 0.0.1\n\n- It restarts databases.\n");
    assert_eq!(unannounced(&released, &current, &changelog).is_empty(), is_announced);
}

// The comparison sees a comment of a script: all of it is part of the template.
#[test]
fn a_script_is_part_of_what_is_compared() {
    let current = templates();
    let mut released = current.clone();
    let template = released.get_mut("minimal StatefulSet").unwrap();
    let script = template.pointer_mut("/spec/containers/0/command/2").unwrap();
    *script = json!(format!("{}# another comment\n", script.as_str().unwrap()));
    assert_eq!(unannounced(&released, &current, "\n## Unreleased\n").len(), 1);
}
