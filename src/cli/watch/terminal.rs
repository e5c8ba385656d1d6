//! The terminal of `watch`: it belongs to the screen until `q`, Escape or Ctrl-C, and is given back however that ends.

use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
};
use tokio::sync::mpsc;

use super::{link::News, screen, view::View};
use crate::cli::common::Failure;

/// Keys on their way from the thread that reads them.
const KEYS: usize = 8;

/// Shows what comes until someone ends it.
pub(super) async fn run(shop: &str, news: mpsc::Receiver<News>) -> Result<(), Failure> {
    let terminal = ratatui::try_init()
        .map_err(|error| Failure::Run(format!("the terminal cannot be used: {error}; --json needs none")))?;
    let _given_back = GiveBack;
    show(shop, terminal, news).await.map_err(|error| Failure::Run(format!("the terminal fails: {error}")))
}

/// Gives the terminal back, also when what shows it is dropped.
struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

async fn show(
    shop: &str,
    mut terminal: DefaultTerminal,
    mut news: mpsc::Receiver<News>,
) -> std::io::Result<()> {
    let (mut view, mut keys) = (View::new(shop), keys());
    loop {
        terminal.draw(|frame| screen::draw(frame, &view))?;
        tokio::select! {
            told = news.recv() => match told {
                Some(told) => view.hear(told),
                None => return Ok(()),
            },
            key = keys.recv() => match key {
                Some(event) if !ends(&event) => {}
                // Without a keyboard nobody could end it.
                _ => return Ok(()),
            },
        }
        // What has come meanwhile is drawn once.
        while let Ok(told) = news.try_recv() {
            view.hear(told);
        }
    }
}

/// Reads the keyboard on a thread of its own, which ends with the program.
fn keys() -> mpsc::Receiver<Event> {
    let (pressed, keys) = mpsc::channel(KEYS);
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if pressed.blocking_send(event).is_err() {
                return;
            }
        }
    });
    keys
}

fn ends(event: &Event) -> bool {
    let Event::Key(key) = event else { return false };
    let is_interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind == KeyEventKind::Press
        && (is_interrupt || matches!(key.code, KeyCode::Char('q' | 'Q') | KeyCode::Esc))
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyEvent;

    use super::*;

    #[test]
    fn a_key_ends_it_and_others_do_not() {
        let key = |code, modifiers| Event::Key(KeyEvent::new(code, modifiers));
        for code in [KeyCode::Char('q'), KeyCode::Esc] {
            assert!(ends(&key(code, KeyModifiers::NONE)));
        }
        assert!(ends(&key(KeyCode::Char('c'), KeyModifiers::CONTROL)));
        assert!(!ends(&key(KeyCode::Char('c'), KeyModifiers::NONE)) && !ends(&Event::Resize(80, 24)));
    }
}
