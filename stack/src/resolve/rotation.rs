//! Which rotation of the generated credentials is due, by annotation and by interval. What a rotation does is
//! in `login.rs` and `change.rs`.

use jiff::Timestamp;
use kube::ResourceExt as _;
use todostack_crds::{TodoStack, postgres::RotationSpec};

/// Annotation of a stack: each new value replaces the generated credentials of the API.
pub const ROTATE: &str = "todostack.dev/rotate";

/// A text that changes with each rotation. None before the first.
pub fn due(stack: &TodoStack, now: Timestamp) -> Option<String> {
    let annotation = stack.annotations().get(ROTATE).map(String::as_str).unwrap_or_default();
    let text = match intervals(stack, now).unwrap_or_default() {
        0 => annotation.to_owned(),
        passed => format!("{annotation}#{passed}"),
    };
    (!text.is_empty()).then_some(text)
}

/// How many intervals have passed since the stack was created.
fn intervals(stack: &TodoStack, now: Timestamp) -> Option<i64> {
    let postgres = stack.spec.database.as_ref()?.postgres.as_ref()?;
    let RotationSpec { interval } = postgres.rotation.as_ref()?;
    let (hours, _) = interval.split_once('h')?;
    let hours: i64 = hours.parse().ok()?;
    let age = now.duration_since(stack.metadata.creation_timestamp.as_ref()?.0);
    age.as_hours().checked_div(hours).filter(|passed| *passed > 0)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use rstest::rstest;

    use super::*;
    use crate::fixtures::{now, todostack};

    #[rstest]
    #[case::nothing_asked("{}", None, 10_000, None)]
    #[case::annotation("{}", Some("1"), 10_000, Some("1"))]
    #[case::empty_annotation("{}", Some(""), 0, None)]
    #[case::before_the_first("720h", None, 719, None)]
    #[case::first("720h", None, 720, Some("#1"))]
    #[case::unchanged_until_the_second("720h", None, 1439, Some("#1"))]
    #[case::second("720h", None, 1440, Some("#2"))]
    #[case::as_go_writes_it("24h0m0s", None, 24, Some("#1"))]
    #[case::both("24h", Some("x"), 24, Some("x#1"))]
    #[case::created_in_the_future("24h", None, -48, None)]
    fn a_rotation_is_due_for_each_value_and_each_interval(
        #[case] interval: &str,
        #[case] annotation: Option<&str>,
        #[case] age_hours: i64,
        #[case] expected: Option<&str>,
    ) {
        let spec = match interval {
            "{}" => "{}".to_owned(),
            interval => format!("database: {{postgres: {{rotation: {{interval: {interval}}}}}}}"),
        };
        let mut stack = todostack(&spec);
        if let Some(value) = annotation {
            stack.annotations_mut().insert(ROTATE.to_owned(), value.to_owned());
        }
        let now = now() + SignedDuration::from_hours(age_hours);
        assert_eq!(due(&stack, now).as_deref(), expected);
    }
}
