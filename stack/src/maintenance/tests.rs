//! Windows as users write them, and when they are open.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::fixtures::{now, todostack};

// `now()` is Saturday, 2026-11-21, 12:00.
fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

#[rstest]
#[case::in_it("Sun 02:00-04:00 UTC", "22T02:00:00", true)]
#[case::its_last_second("Sun 02:00-04:00", "22T03:59:59", true)]
#[case::its_end("Sun 02:00-04:00", "22T04:00:00", false)]
#[case::another_day("Sun 02:00-04:00", "23T03:00:00", false)]
#[case::one_of_several_days("Sat,Sun 02:00-04:00", "21T03:00:00", true)]
#[case::a_range_of_days("Mon-Fri 02:00-04:00", "25T03:00:00", true)]
#[case::outside_of_a_range_of_days("Mon-Fri 02:00-04:00", "21T03:00:00", false)]
#[case::a_range_past_the_end_of_the_week("sat-mon 02:00-04:00", "23T03:00:00", true)]
#[case::every_day("02:00-04:00 UTC", "25T03:00:00", true)]
#[case::past_midnight("Sun 22:00-02:00", "23T01:59:00", true)]
#[case::past_midnight_of_another_day("Mon 22:00-02:00", "23T01:59:00", false)]
#[case::the_whole_day("Sat 00:00-24:00", "21T23:59:59", true)]
#[case::until_midnight("Sat 22:00-24:00", "22T00:00:00", false)]
#[case::the_second_of_two("Wed 01:00-02:00; Sat 12:00-13:00 UTC", "21T12:30:00", true)]
fn a_window_is_open_at_its_times(#[case] window: &str, #[case] time: &str, #[case] is_open: bool) {
    assert_eq!(window.parse::<Window>().unwrap().is_open(at(time)), is_open);
}

#[rstest]
#[case::empty("")]
#[case::a_day_alone("Sun")]
#[case::no_such_day("Xyz 02:00-04:00")]
#[case::no_range("Sun 02:00")]
#[case::another_zone("Sun 02:00-04:00 CET")]
#[case::no_such_time("Sun 02:60-04:00")]
#[case::after_midnight("Sun 02:00-24:01")]
#[case::it_starts_at_the_end_of_the_day("Sun 24:00-02:00")]
#[case::no_length("Sun 02:00-02:00")]
#[case::signs("Sun +2:00-04:00")]
#[case::cron("0 2 * * 0")]
#[case::one_of_two("Sun 02:00-04:00; nonsense")]
fn what_is_no_window_is_reported_with_a_remedy(#[case] text: &str) {
    let mut stack = todostack("{}");
    assert_eq!(finding(&stack), None);
    stack.annotations_mut().insert(WINDOW.to_owned(), text.to_owned());
    assert_eq!(Window::find(&stack), Some(Err(Invalid)));
    let finding = finding(&stack).unwrap();
    assert!(finding.is_warning());
    assert!(finding.message().contains("annotate todostack shop todostack.dev/maintenance-window-"));
}

#[test]
fn a_window_is_written_without_what_is_not_needed() {
    let window: Window = " Sat,Sun  02:00-04:00\n;; 05:00-06:00 UTC".parse().unwrap();
    assert_eq!(window.text(), "Sat,Sun 02:00-04:00; 05:00-06:00 UTC");
}

proptest! {
    // A text that is no window must not panic, and of a window that is closed, the end of the wait is the
    // moment at which it opens.
    #[test]
    fn a_window_opens_when_it_says(
        start in 0..DAY, end in 0..=DAY, day in 0..7_usize, later in 0..2 * i64::from(WEEK) * 60, noise in ".*",
    ) {
        drop(noise.parse::<Window>());
        let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let text = format!("{} {}-{}", DAYS[day].0, time(start), time(end));
        let Ok(window) = text.parse::<Window>() else { return Ok(()) };
        let moment = now() + SignedDuration::from_secs(later);
        prop_assume!(!window.is_open(moment));
        let opens = moment + window.opens_in(moment);
        prop_assert!(window.is_open(opens));
        prop_assert!(!window.is_open(opens - SignedDuration::from_secs(1)));
    }
}
