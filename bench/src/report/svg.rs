//! Charts as SVG: bars beside one another, or lines over a growing number. Readable on a light and on a dark page.

use serde::{Deserialize, Serialize};

const WIDTH: f64 = 720.0;
const BAR: f64 = 22.0;
const GAP: f64 = 10.0;
const LABELS: f64 = 150.0;
const TOP: f64 = 40.0;
const PLOT: f64 = 220.0;
/// shopbell's own colour, and those of the others.
const OURS: &str = "#e05d2d";
const OTHERS: [&str; 4] = ["#7a8a99", "#4c8bf5", "#3fa66b", "#b07cc6"];

/// A picture of numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Chart {
    title: String,
    data: Data,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Data {
    Bars(Vec<(String, f64)>),
    Lines(Vec<(String, Vec<(f64, f64)>)>),
}

impl Chart {
    /// One bar each; the first is ours.
    #[must_use]
    pub fn bars(title: &str, bars: Vec<(String, f64)>) -> Self {
        Self { title: title.to_owned(), data: Data::Bars(bars) }
    }

    /// One line each, from zero up; the first is ours.
    #[must_use]
    pub fn lines(title: &str, lines: Vec<(String, Vec<(f64, f64)>)>) -> Self {
        Self { title: title.to_owned(), data: Data::Lines(lines) }
    }

    /// What it shows, which is also its text for those who do not see it.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The picture.
    #[must_use]
    pub fn svg(&self) -> String {
        let (body, height) = match &self.data {
            Data::Bars(bars) => draw_bars(bars),
            Data::Lines(lines) => draw_lines(lines),
        };
        let title = escaped(&self.title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" \
             font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<title>{title}</title>\n\
             <style>text {{ fill: #24292f }} @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} }}\
             </style>\n<text x=\"8\" y=\"22\" font-size=\"15\" font-weight=\"600\">{title}</text>\n{body}</svg>\n"
        )
    }
}

fn colour(number: usize) -> &'static str {
    if number == 0 { OURS } else { OTHERS[(number - 1) % OTHERS.len()] }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Three digits that count.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

fn draw_bars(bars: &[(String, f64)]) -> (String, f64) {
    let most = bars.iter().map(|bar| bar.1).fold(f64::MIN_POSITIVE, f64::max);
    let mut out = String::new();
    for (number, (label, value)) in bars.iter().enumerate() {
        let y = TOP + number as f64 * (BAR + GAP);
        let width = value / most * (WIDTH - LABELS - 80.0);
        let middle = y + BAR * 0.7;
        out += &format!(
            "<text x=\"{:.0}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LABELS}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"3\" fill=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{middle:.1}\">{}</text>",
            LABELS - 8.0,
            escaped(label),
            colour(number),
            LABELS + width + 6.0,
            short(*value)
        );
    }
    (out, TOP + bars.len() as f64 * (BAR + GAP) + 6.0)
}

fn draw_lines(lines: &[(String, Vec<(f64, f64)>)]) -> (String, f64) {
    let points = || lines.iter().flat_map(|line| &line.1);
    let right = points().map(|point| point.0).fold(f64::MIN_POSITIVE, f64::max);
    let most = points().map(|point| point.1).fold(f64::MIN_POSITIVE, f64::max) * 1.1;
    let (left, bottom) = (50.0, TOP + PLOT);
    let x = |value: f64| left + value / right * (WIDTH - left - 150.0);
    let y = |value: f64| bottom - value / most * PLOT;
    let mut out = format!(
        "<path d=\"M{left} {TOP}V{bottom}H{:.0}\" fill=\"none\" stroke=\"#8b949e\"/>\n\
         <text x=\"{:.0}\" y=\"{bottom}\" text-anchor=\"end\">0</text>\n",
        x(right),
        left - 6.0
    );
    for (number, (label, points)) in lines.iter().enumerate() {
        let mut path = String::new();
        for (nth, point) in points.iter().enumerate() {
            let step = if nth == 0 { 'M' } else { 'L' };
            path += &format!("{step}{:.1} {:.1}", x(point.0), y(point.1));
            if number == 0 {
                out += &format!(
                    "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{:.0}</text>",
                    x(point.0),
                    bottom + 18.0,
                    point.0
                );
            }
        }
        let last = points.last().copied().unwrap_or_default();
        out += &format!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2.5\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{} {}</text>",
            colour(number),
            x(last.0) + 8.0,
            y(last.1) + 4.0,
            escaped(label),
            short(last.1)
        );
    }
    (out, bottom + 28.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_has_the_highest_value() {
        let svg = Chart::bars("a < b", vec![("ours".into(), 1.0), ("theirs".into(), 2.0)]).svg();
        assert!(svg.contains("<title>a &lt; b</title>"), "{svg}");
        assert!(svg.contains("width=\"245.0\"") && svg.contains("width=\"490.0\""), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2);
    }

    #[test]
    fn lines_start_at_zero() {
        let svg = Chart::lines("t", vec![("ours".into(), vec![(0.0, 0.0), (10.0, 5.0)])]).svg();
        assert!(svg.contains("M50.0 260.0L"), "{svg}");
    }
}
