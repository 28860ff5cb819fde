//! The plot: CPU of a stack, and memory, against the number of stacks, as SVG.

use std::fmt::Write as _;

use crate::result::Results;

const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 36.0;
const COLORS: &[(&str, &str)] = &[("kro", "#d97706"), ("operator", "#2563eb")];
const PANELS: &[(&str, &str)] =
    &[("cpu_ms_per_stack", "CPU a stack, ms"), ("peak_rss_mib", "peak memory, MiB")];

pub(crate) fn svg(results: &Results) -> String {
    let mut text = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{:.0}" height="{:.0}" font-family="sans-serif" font-size="12">"#,
        2.0 * (WIDTH + LEFT) + 24.0,
        TOP + HEIGHT + 60.0
    );
    text += "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    let mut left = LEFT;
    for (name, title) in PANELS {
        panel(&mut text, results, (name, title), left);
        left += WIDTH + LEFT + 16.0;
    }
    let mut x = LEFT;
    for (subject, color) in COLORS {
        let y = TOP + HEIGHT + 48.0;
        let _ = writeln!(text, r#"<text x="{x:.0}" y="{y:.0}" fill="{color}">● {subject}</text>"#);
        x += 100.0;
    }
    text + "</svg>\n"
}

fn panel(text: &mut String, results: &Results, (name, title): (&str, &str), left: f64) {
    let sizes = results.sizes();
    let lines: Vec<_> =
        COLORS.iter().map(|(subject, color)| (points(results, subject, name), *color)).collect();
    let highest = lines.iter().flat_map(|(points, _)| points).map(|(_, value)| *value).fold(1.0, f64::max);
    let bottom = TOP + HEIGHT;
    let _ = writeln!(text, r#"<text x="{left:.0}" y="{:.0}" font-weight="bold">{title}</text>"#, TOP - 14.0);
    for step in [0.0, 0.5, 1.0] {
        let y = bottom - HEIGHT * step;
        let right = left + WIDTH;
        let _ = writeln!(
            text,
            r##"<path d="M{left:.0} {y:.1}H{right:.0}" stroke="#ddd"/><text x="{:.0}" y="{:.1}" text-anchor="end">{:.0}</text>"##,
            left - 6.0,
            y + 4.0,
            highest * step
        );
    }
    let scale = Scale { largest: position(sizes.last().copied().unwrap_or(1)), highest, left };
    for size in &sizes {
        let (x, y) = (scale.x(*size), bottom + 18.0);
        let _ = writeln!(text, r#"<text x="{x:.1}" y="{y:.0}" text-anchor="middle">{size}</text>"#);
    }
    for (points, color) in lines {
        let path: Vec<String> = points
            .iter()
            .map(|(size, value)| format!("{:.1},{:.1}", scale.x(*size), scale.y(*value)))
            .collect();
        let path = path.join(" ");
        let _ =
            writeln!(text, r#"<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>"#);
        for (size, value) in &points {
            let (x, y) = (scale.x(*size), scale.y(*value));
            let _ = writeln!(text, r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{color}"/>"#);
        }
    }
}

fn points(results: &Results, subject: &str, name: &str) -> Vec<(usize, f64)> {
    let value = |size| Some((size, results.median(subject, size, name)?));
    results.sizes().into_iter().filter_map(value).collect()
}

struct Scale {
    largest: f64,
    highest: f64,
    left: f64,
}

impl Scale {
    fn x(&self, size: usize) -> f64 {
        self.left + WIDTH * position(size) / self.largest.max(1.0)
    }

    fn y(&self, value: f64) -> f64 {
        TOP + HEIGHT * (1.0 - value / self.highest)
    }
}

/// Numbers of stacks lie at their logarithm, so that 1 and 1,000 both fit.
#[expect(clippy::cast_precision_loss, reason = "there are few stacks")]
fn position(size: usize) -> f64 {
    (size.max(1) as f64).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Measurement;

    #[test]
    fn each_figure_of_a_subject_is_a_point_inside_the_plot() {
        let measurements = [(1, 90.0), (100, 60.0), (1000, 70.0)].map(|(stacks, cpu)| {
            let mut measurement = Measurement::new("operator", stacks, false);
            measurement.set("cpu_ms_per_stack", cpu);
            measurement
        });
        let svg =
            svg(&Results { machine: crate::machine::Machine::default(), measurements: measurements.into() });
        let heights = svg
            .lines()
            .filter_map(|line| line.strip_prefix("<circle")?.split('"').nth(3)?.parse::<f64>().ok());
        let heights: Vec<f64> = heights.collect();
        assert_eq!(heights.len(), 3, "{svg}");
        assert!(heights.iter().all(|y| (TOP..=TOP + HEIGHT).contains(y)), "{heights:?}");
    }
}
