//! The maintenance window of a stack, by annotation: when an upgrade of the operator may restart its pods.
//! What waits for it is decided in `upgrade.rs`.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp, civil::Weekday, tz::TimeZone};
use kube::ResourceExt as _;
use todostack_crds::{Reason, TodoStack};

use crate::{
    finding::{Finding, Severity},
    part::Part,
};

/// Annotation of a stack, such as `Sat,Sun 02:00-04:00 UTC`.
pub const WINDOW: &str = "todostack.dev/maintenance-window";

const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The text is not a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read a maintenance window")]
pub struct Invalid;

/// Times of the week, in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    spans: Vec<Span>,
    /// As it is written in messages.
    text: String,
}

/// Minutes since Monday 00:00, and their number. It may go past the end of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    length: u32,
}

impl Window {
    /// The window of a stack, if it has the annotation.
    pub fn find(stack: &TodoStack) -> Option<Result<Self, Invalid>> {
        stack.annotations().get(WINDOW).map(|text| text.parse())
    }

    pub fn is_open(&self, now: Timestamp) -> bool {
        let minute = minute_of_week(now);
        self.spans.iter().any(|span| distance(span.start, minute) < span.length)
    }

    /// The time until it opens next.
    pub fn opens_in(&self, now: Timestamp) -> SignedDuration {
        let minute = minute_of_week(now);
        // At the full minute in which it opens; a distance of zero is that minute, which has begun.
        let minutes = self.spans.iter().map(|span| distance(minute, span.start)).min().unwrap_or(WEEK);
        let passed = now.as_second().rem_euclid(60);
        SignedDuration::from_secs((i64::from(minutes) * 60 - passed).max(0))
    }

    /// The text, without what is not needed.
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn minute_of_week(now: Timestamp) -> u32 {
    let time = now.to_zoned(TimeZone::UTC);
    let of = |number: i8| u32::try_from(number).unwrap_or_default();
    of(time.weekday().to_monday_zero_offset()) * DAY + of(time.hour()) * 60 + of(time.minute())
}

/// Minutes from one minute of the week to the next time of the other.
fn distance(from: u32, to: u32) -> u32 {
    (to + WEEK - from) % WEEK
}

impl FromStr for Window {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (mut spans, mut texts) = (Vec::new(), Vec::new());
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let words: Vec<_> = part.split_whitespace().filter(|word| *word != "UTC").collect();
            let (days, times) = match *words {
                [times] => (DAYS.map(|(_, day)| day).to_vec(), times),
                [days, times] => (read_days(days)?, times),
                _ => return Err(Invalid),
            };
            let (start, end) = times.split_once('-').ok_or(Invalid)?;
            let (start, end) = (read_time(start)?, read_time(end)?);
            if start == end || start == DAY {
                return Err(Invalid);
            }
            // One that ends before it starts ends on the next day.
            let length = (end + DAY - start) % DAY;
            let length = if length == 0 { DAY } else { length };
            spans.extend(days.iter().map(|day| {
                let day = u32::try_from(day.to_monday_zero_offset()).unwrap_or_default();
                Span { start: day * DAY + start, length }
            }));
            texts.push(words.join(" "));
        }
        if spans.is_empty() {
            return Err(Invalid);
        }
        Ok(Self { spans, text: format!("{} UTC", texts.join("; ")) })
    }
}

/// `Sat,Sun` or `Mon-Fri`.
fn read_days(text: &str) -> Result<Vec<Weekday>, Invalid> {
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let last = read_day(last)?;
        let mut day = read_day(first)?;
        days.push(day);
        while day != last {
            day = day.next();
            days.push(day);
        }
    }
    Ok(days)
}

fn read_day(text: &str) -> Result<Weekday, Invalid> {
    let known = DAYS.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
    known.map(|(_, day)| *day).ok_or(Invalid)
}

/// Minutes since midnight of `HH:MM`, up to `24:00`.
fn read_time(text: &str) -> Result<u32, Invalid> {
    let (hours, minutes) = text.split_once(':').ok_or(Invalid)?;
    let number = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| is_number).ok_or(Invalid)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let time = hours * 60 + minutes;
    if minutes < 60 && time <= DAY { Ok(time) } else { Err(Invalid) }
}

/// What is wrong with the annotation of a stack.
pub(crate) fn finding(stack: &TodoStack) -> Option<Finding> {
    let is_invalid = Window::find(stack)?.is_err();
    is_invalid.then(|| {
        Finding::new(Part::Api, Reason::MaintenanceWindowInvalid, format!("Annotation {WINDOW}"))
            .problem(
                "is not of the form \"Sat,Sun 02:00-04:00 UTC\", so no upgrade restarts pods of the stack",
            )
            .remedy(format!(
                "Correct it, or remove it: kubectl -n {} annotate todostack {} {WINDOW}-",
                stack.namespace().unwrap_or_default(),
                stack.name_any()
            ))
            .evident_in_spec()
            .severity(Severity::Warning)
    })
}

#[cfg(test)]
mod tests;
