//! Who looks at which page: people, not sockets, across all worker threads.
//!
//! A change is counted at once, under a lock held for a map access; what has changed is told in rounds, so that a
//! crowd coming and going costs a bounded number of messages (see [`Viewers::take_changed`]).

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::domain::UserId;

/// The name of a page: its path without `.html` and its query with the parameters sorted (docs/contract.md §3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page(Arc<str>);

impl Page {
    /// The longest location that is taken, in bytes.
    pub const MAX: usize = 1024;

    /// Normalises what a browser calls a page's location; `None` when it is no absolute path or too long.
    #[must_use]
    pub fn parse(location: &str) -> Option<Self> {
        let location = location.split('#').next().unwrap_or_default();
        if !location.starts_with('/') || location.len() > Self::MAX {
            return None;
        }
        let (path, query) = location.split_once('?').unwrap_or((location, ""));
        let path = path.strip_suffix(".html").unwrap_or(path);
        let mut parameters: Vec<&str> = query.split('&').filter(|parameter| !parameter.is_empty()).collect();
        parameters.sort_unstable();
        let name =
            if parameters.is_empty() { path.to_owned() } else { format!("{path}?{}", parameters.join("&")) };
        Some(Self(name.into()))
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Person {
    /// Someone with an account, in however many tabs.
    Member(UserId),
    /// A guest, known by a cookie.
    Guest(u64),
    /// Someone on a page of another shop, who listens and looks at none of ours. All that is known is the key, by the
    /// [`mark`](crate::domain::SessionId::mark) of what its sessions end by.
    Listener(u64),
}

#[derive(Default)]
struct Audience {
    /// With how many sockets each person looks.
    people: HashMap<Person, u32>,
    told_at: Option<Instant>,
}

#[derive(Default)]
struct State {
    pages: HashMap<Page, Audience>,
    changed: HashSet<Page>,
}

/// The counts of all pages.
#[derive(Default)]
pub struct Viewers {
    state: Mutex<State>,
}

impl Viewers {
    /// A socket of this person begins to look at a page. Answers how many people look at it now.
    pub fn come(&self, person: Person, page: &Page) -> usize {
        let mut state = self.state();
        let audience = state.pages.entry(page.clone()).or_default();
        let sockets = audience.people.entry(person).or_default();
        *sockets += 1;
        let (first, count) = (*sockets == 1, audience.people.len());
        if first {
            state.changed.insert(page.clone());
        }
        count
    }

    /// A socket of this person no longer looks at a page.
    pub fn go(&self, person: Person, page: &Page) {
        let mut state = self.state();
        let Some(audience) = state.pages.get_mut(page) else { return };
        let Some(sockets) = audience.people.get_mut(&person) else { return };
        *sockets -= 1;
        if *sockets > 0 {
            return;
        }
        audience.people.remove(&person);
        if audience.people.is_empty() {
            state.pages.remove(page);
            state.changed.remove(page);
        } else {
            state.changed.insert(page.clone());
        }
    }

    /// The pages whose count changed since they were last told, each at most once in a time that grows with its
    /// crowd: telling costs some microseconds per viewer, and may take a twentieth of a core.
    #[must_use]
    pub fn take_changed(&self, now: Instant) -> Vec<(Page, usize)> {
        let mut state = self.state();
        let State { pages, changed } = &mut *state;
        let mut due = Vec::new();
        changed.retain(|page| {
            let Some(audience) = pages.get_mut(page) else { return false };
            let people = audience.people.len();
            let pause = PAUSE_PER_VIEWER * u32::try_from(people).unwrap_or(u32::MAX);
            if audience.told_at.is_some_and(|told| now.saturating_duration_since(told) < pause) {
                return true;
            }
            audience.told_at = Some(now);
            due.push((page.clone(), people));
            false
        });
        due
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PAUSE_PER_VIEWER: Duration = Duration::from_micros(200);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_one_name() {
        let name = |location| Page::parse(location).map(|page| page.0.to_string());
        assert_eq!(name("/detail.html?b=2&goodsId=4&a=1#top").unwrap(), "/detail?a=1&b=2&goodsId=4");
        assert_eq!(name("/detail?a=1&b=2&goodsId=4"), name("/detail.html?goodsId=4&b=2&a=1"));
        assert_eq!(name("/").unwrap(), "/");
        assert_eq!(name("http://evil.example/"), None);
        assert_eq!(name(&format!("/{}", "x".repeat(2000))), None);
    }

    #[test]
    fn tabs_of_one_person_count_once() {
        let (viewers, page) = (Viewers::default(), Page::parse("/").unwrap());
        let (kim, guest) = (Person::Member(UserId(1)), Person::Guest(7));
        assert_eq!(viewers.come(kim, &page), 1);
        assert_eq!(viewers.come(kim, &page), 1);
        assert_eq!(viewers.come(guest, &page), 2);
        let now = Instant::now();
        assert_eq!(viewers.take_changed(now), [(page.clone(), 2)]);
        viewers.go(kim, &page);
        assert_eq!(viewers.take_changed(now), []);
        viewers.go(kim, &page);
        assert_eq!(viewers.take_changed(now), []);
        assert_eq!(viewers.take_changed(now + Duration::from_secs(1)), [(page.clone(), 1)]);
        viewers.go(guest, &page);
        assert!(viewers.state().pages.is_empty());
    }
}
