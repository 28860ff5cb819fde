//! Signs, colors and lines that all texts share. Texts are always colored: `anstream` removes the colors
//! where the output is no terminal or NO_COLOR is set. The texts are in `text/`.

use anstyle::{AnsiColor, Style};
use jiff::{SignedDuration, Timestamp};

use crate::report::{Health, Mark, Report};

pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod release;
pub(crate) mod status;

const GOOD: Style = AnsiColor::Green.on_default();
const WAITING: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

fn paint(style: Style, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}

fn style(mark: Mark) -> Style {
    match mark {
        Mark::Good => GOOD,
        Mark::Waiting => WAITING,
        Mark::Bad => BAD,
        Mark::Unknown => FAINT,
    }
}

fn sign(mark: Mark) -> String {
    let sign = match mark {
        Mark::Good => "✓",
        Mark::Waiting => "…",
        Mark::Bad => "✗",
        Mark::Unknown => "?",
    };
    paint(style(mark), sign)
}

impl Health {
    fn mark(self) -> Mark {
        match self {
            Self::Ready => Mark::Good,
            Self::Starting | Self::ScaledToZero => Mark::Waiting,
            Self::Wrong => Mark::Bad,
        }
    }
}

fn headline(report: &Report, now: Timestamp) -> String {
    let health = match report.health {
        Health::Ready => "ready".to_owned(),
        Health::Starting => format!("not ready yet ({})", report.ready.reason),
        Health::Wrong if report.ready.is_true() => "has problems".to_owned(),
        Health::Wrong | Health::ScaledToZero => format!("not ready ({})", report.ready.reason),
    };
    let mark = report.health.mark();
    let name = paint(STRONG, &format!("{}/{}", report.namespace, report.name));
    let age = report.created.map(|created| format!("{} old", age(now.duration_since(created))));
    let rest = age.into_iter().chain(report.url.clone());
    let fields: Vec<_> = std::iter::once(paint(style(mark), &health)).chain(rest).collect();
    format!("{} {name} {}", sign(mark), fields.join(", "))
}

fn notes<'a>(notes: impl Iterator<Item = &'a str>) -> impl Iterator<Item = String> {
    notes.map(|note| format!("{} {note}", paint(FAINT, "Note:")))
}

impl Report {
    /// What else a user should know, and what was not checked.
    fn all_notes(&self) -> impl Iterator<Item = &str> {
        self.notes.iter().chain(&self.unchecked).map(String::as_str)
    }
}

/// An age as kubectl prints it.
fn age(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0..=1) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m"),
        (0, 1..=9, _) => format!("{hours}h{}m", minutes % 60),
        (0, _, _) => format!("{hours}h"),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests;
