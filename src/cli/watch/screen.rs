//! Draws what `watch` shows: how much comes in, who is connected, how fast alerts are, and the newest orders.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Bar, BarChart, BarGroup, Block, Paragraph, Sparkline},
};

use super::view::{Status, View};

const ACCENT: Style = Style::new().fg(Color::Cyan);
const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
const QUIET: Style = Style::new().add_modifier(Modifier::DIM);
/// A class of the histogram, with the gap behind it.
const CLASS: u16 = 5;

/// Draws a whole screen. What has no room is left out.
pub(super) fn draw(frame: &mut Frame<'_>, view: &View) {
    let [head, orders, middle, feed, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(6),
        Constraint::Length(9),
        Constraint::Min(3),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let [left, right] = Layout::horizontal([Constraint::Length(30), Constraint::Min(20)]).areas(middle);
    frame.render_widget(status(view), head);
    draw_orders(frame, view, orders);
    draw_sessions(frame, view, left);
    draw_latency(frame, view, right);
    let lines: Vec<_> = view.feed.iter().map(|line| Line::raw(line.as_str())).collect();
    frame.render_widget(
        Paragraph::new(lines).block(Block::bordered().title("Orders as they come (UTC)")),
        feed,
    );
    frame.render_widget(Paragraph::new("q ends").style(QUIET), foot);
}

fn status(view: &View) -> Line<'_> {
    let (color, says) = match &view.status {
        Status::Connecting => (Color::Yellow, "connecting".to_owned()),
        Status::Connected => (Color::Green, format!("up {}", duration(view.number("/uptimeSeconds")))),
        Status::Lost { why, again } => (Color::Red, format!("{why}; again in {:.1} s", again.as_secs_f32())),
    };
    Line::from(vec![
        Span::styled("● ", Style::new().fg(color)),
        Span::styled(view.shop.as_str(), STRONG),
        Span::raw("  "),
        Span::raw(says),
    ])
}

fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    format!("{days}d {hours:02}:{minutes:02}:{:02}", seconds % 60)
}

fn draw_orders(frame: &mut Frame<'_>, view: &View, area: Rect) {
    let minutes = view.numbers("/orders/perMinute");
    let title = format!(
        "Orders a minute: {} now · {} today · {} in all",
        minutes.last().copied().unwrap_or_default(),
        view.number("/orders/today"),
        view.number("/orders/total"),
    );
    let block = Block::bordered().title(title);
    // The newest minutes that there is room for, on the right.
    let room = usize::from(block.inner(area).width);
    let shown = &minutes[minutes.len().saturating_sub(room)..];
    frame.render_widget(Sparkline::default().data(shown).style(ACCENT).block(block), area);
}

fn draw_sessions(frame: &mut Frame<'_>, view: &View, area: Rect) {
    let row = |name: &str, path: &str| Line::raw(format!("{name:<18}{:>9}", view.number(path)));
    let lines = vec![
        row("members", "/sessions/members"),
        row("guests", "/sessions/guests"),
        row("WebSocket", "/sessions/byTransport/websocket"),
        row("Socket.IO", "/sessions/byTransport/socketio"),
        row("by polls", "/sessions/byTransport/polling"),
        row("event streams", "/sessions/byTransport/sse"),
        row("lagging", "/lagging"),
    ];
    let title = format!("Sessions: {}", view.number("/sessions/total"));
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(title)), area);
}

fn draw_latency(frame: &mut Frame<'_>, view: &View, area: Rect) {
    let refused = view.refusals().first().map_or(String::new(), |(code, _)| format!(" ({code} most)"));
    let title = format!(
        "From order to socket, ms: {} alerts, {} a second · {} refused{refused}",
        view.number("/alerts/delivered"),
        view.number("/alerts/perSecond"),
        view.number("/refusals/total"),
    );
    let block = Block::bordered().title(title);
    let classes = view.latency();
    let width = CLASS - 1;
    let bars: Vec<_> = classes
        .iter()
        .map(|(label, count)| Bar::default().label(label.as_str()).value(*count).text_value(short(*count)))
        .collect();
    let chart = BarChart::default().data(BarGroup::default().bars(&bars)).bar_width(width).bar_gap(1);
    frame.render_widget(chart.bar_style(ACCENT).value_style(STRONG).block(block), area);
}

/// A count in at most four characters; none for nothing.
fn short(count: u64) -> String {
    match count {
        0 => String::new(),
        1..=9_999 => count.to_string(),
        10_000..=999_999 => format!("{}k", count / 1000),
        _ => format!("{}M", count / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::{
        super::{link::News, view::tests::view},
        *,
    };

    fn drawn(view: &View, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, view)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn the_screen_shows_figures_histogram_and_orders() {
        let screen = drawn(&view(), 120, 30);
        for part in [
            "http://shop.example/",
            "up 1d 02:03:04",
            "3 now · 41 today · 1234 in all",
            "Sessions: 12",
            "Socket.IO                 4",
            "lagging                   1",
            "50 alerts, 6 a second",
            "5 refused (login_required most)",
            "40",
            "kim[2J  Tea × 2",
            "canceled: #7",
            "q ends",
        ] {
            assert!(screen.contains(part), "{part:?} is not on\n{screen}");
        }
    }

    #[test]
    fn a_small_terminal_and_a_lost_shop_are_no_trouble() {
        let mut view = view();
        let again = std::time::Duration::from_millis(1500);
        view.hear(News::Lost { why: "the shop is silent".into(), again });
        assert!(drawn(&view, 80, 24).contains("the shop is silent; again in 1.5 s"));
        for (width, height) in [(1, 1), (10, 3), (40, 10), (300, 4)] {
            drawn(&view, width, height);
        }
        drawn(&View::new("http://127.0.0.1:3000/"), 80, 24);
    }
}
