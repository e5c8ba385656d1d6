//! Who looks at which page: people, not sockets, across all worker threads and, as far as other nodes tell it, across nodes.
//!
//! A change is counted at once, under a lock held for a map access; what has changed is told in rounds, so that a
//! crowd coming and going costs a bounded number of messages (see [`Viewers::take_changed`]).

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::changes::Changes;
use crate::{bus::NodeId, domain::UserId};

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

/// Taken from another node, which has made it.
impl From<Box<str>> for Page {
    fn from(name: Box<str>) -> Self {
        Self(name.into())
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

/// What changes about who looks at a page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PageChange {
    /// A person looks at it, with however many sockets.
    Come(Page, Person),
    /// A person looks at it no longer.
    Go(Page, Person),
}

/// By what a person looks at a page; one of it is not 0.
#[derive(Default)]
struct Eyes {
    /// Sockets of this node.
    here: u32,
    /// Other nodes.
    elsewhere: u32,
}

#[derive(Default)]
struct Audience {
    people: HashMap<Person, Eyes>,
    told_at: Option<Instant>,
}

#[derive(Default)]
struct State {
    pages: HashMap<Page, Audience>,
    changed: HashSet<Page>,
    /// Who looks at what on other nodes.
    elsewhere: HashMap<NodeId, HashSet<(Page, Person)>>,
}

/// The counts of all pages.
#[derive(Default)]
pub struct Viewers {
    state: Mutex<State>,
    /// To other nodes, if there may be any.
    told: Option<Arc<Changes<PageChange>>>,
}

impl Viewers {
    /// Whose changes are told to other nodes.
    #[must_use]
    pub fn telling(changes: Arc<Changes<PageChange>>) -> Self {
        Self { state: Mutex::default(), told: Some(changes) }
    }

    /// A socket of this person begins to look at a page. Answers how many people look at it now.
    pub fn come(&self, person: Person, page: &Page) -> usize {
        let mut state = self.state();
        let (first, count) = state.add(page, person, |eyes| &mut eyes.here);
        if first {
            self.tell(|| PageChange::Come(page.clone(), person));
        }
        count
    }

    /// A socket of this person no longer looks at a page.
    pub fn go(&self, person: Person, page: &Page) {
        let mut state = self.state();
        if state.take(page, person, |eyes| &mut eyes.here) {
            self.tell(|| PageChange::Go(page.clone(), person));
        }
    }

    /// Who looks at what on this node.
    #[must_use]
    pub fn share(&self) -> Vec<PageChange> {
        let state = self.state();
        let all = state
            .pages
            .iter()
            .flat_map(|(page, audience)| audience.people.iter().map(move |one| (page, one)));
        all.filter(|(_, (_, eyes))| eyes.here > 0)
            .map(|(page, (person, _))| PageChange::Come(page.clone(), *person))
            .collect()
    }

    /// What changed on another node; with `is_whole` all that is there.
    pub fn hear(&self, node: NodeId, changes: Vec<PageChange>, is_whole: bool) {
        let mut state = self.state();
        let mut share = state.elsewhere.remove(&node).unwrap_or_default();
        if is_whole {
            let all: HashSet<_> = changes.iter().filter_map(PageChange::came).collect();
            let gone: Vec<_> = share.iter().filter(|one| !all.contains(one)).cloned().collect();
            for (page, person) in gone {
                state.take(&page, person, |eyes| &mut eyes.elsewhere);
                share.remove(&(page, person));
            }
        }
        for change in changes {
            match change {
                PageChange::Come(page, person) => {
                    if share.insert((page.clone(), person)) {
                        state.add(&page, person, |eyes| &mut eyes.elsewhere);
                    }
                }
                PageChange::Go(page, person) => {
                    if share.remove(&(page.clone(), person)) {
                        state.take(&page, person, |eyes| &mut eyes.elsewhere);
                    }
                }
            }
        }
        if !share.is_empty() {
            state.elsewhere.insert(node, share);
        }
    }

    /// Another node is gone, and who looked there with it.
    pub fn forget(&self, node: NodeId) {
        self.hear(node, Vec::new(), true);
    }

    fn tell(&self, change: impl FnOnce() -> PageChange) {
        if let Some(told) = &self.told {
            told.add(change());
        }
    }

    /// The pages whose count changed since they were last told, each at most once in a time that grows with its
    /// crowd: telling costs some microseconds per viewer, and may take a twentieth of a core.
    #[must_use]
    pub fn take_changed(&self, now: Instant) -> Vec<(Page, usize)> {
        let mut state = self.state();
        let State { pages, changed, .. } = &mut *state;
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

impl PageChange {
    fn came(&self) -> Option<(Page, Person)> {
        match self {
            Self::Come(page, person) => Some((page.clone(), *person)),
            Self::Go(..) => None,
        }
    }
}

impl State {
    /// Another eye of a person. Answers whether it is the first of its kind, and how many people look now.
    fn add(&mut self, page: &Page, person: Person, kind: impl Fn(&mut Eyes) -> &mut u32) -> (bool, usize) {
        let audience = self.pages.entry(page.clone()).or_default();
        let eyes = audience.people.entry(person).or_default();
        let is_new = eyes.here + eyes.elsewhere == 0;
        let number = kind(eyes);
        *number += 1;
        let (is_first, count) = (*number == 1, audience.people.len());
        if is_new {
            self.changed.insert(page.clone());
        }
        (is_first, count)
    }

    /// An eye less. Answers whether it was the last of its kind.
    fn take(&mut self, page: &Page, person: Person, kind: impl Fn(&mut Eyes) -> &mut u32) -> bool {
        let Some(audience) = self.pages.get_mut(page) else { return false };
        let Some(eyes) = audience.people.get_mut(&person) else { return false };
        let number = kind(eyes);
        if *number == 0 {
            return false;
        }
        *number -= 1;
        let was_last = *number == 0;
        if eyes.here + eyes.elsewhere > 0 {
            return was_last;
        }
        audience.people.remove(&person);
        if audience.people.is_empty() {
            self.pages.remove(page);
            self.changed.remove(page);
        } else {
            self.changed.insert(page.clone());
        }
        was_last
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

    #[test]
    fn a_person_on_two_nodes_is_one_person() {
        let page = Page::parse("/").unwrap();
        let changes = Arc::new(Changes::new(Arc::default()));
        let (here, there) = (Viewers::default(), Viewers::telling(Arc::clone(&changes)));
        let (node, kim, lee) = (NodeId::from_random([1; 6]), Person::Member(UserId(1)), Person::Guest(7));
        here.come(kim, &page);
        for person in [kim, kim, lee] {
            there.come(person, &page);
        }
        let told = changes.take().unwrap();
        assert_eq!(told.len(), 2, "a second tab is no change");
        here.hear(node, told.clone(), false);
        here.hear(node, told, false);
        let mut now = Instant::now();
        let mut changed = || {
            now += Duration::from_secs(1);
            here.take_changed(now).into_iter().map(|(_, count)| count).collect::<Vec<_>>()
        };
        assert_eq!(changed(), [2]);
        here.go(kim, &page);
        assert!(changed().is_empty(), "kim is there");
        there.go(lee, &page);
        there.go(kim, &page);
        assert_eq!(changes.take().unwrap(), [PageChange::Go(page.clone(), lee)]);
        here.hear(node, there.share(), true);
        assert_eq!(changed(), [1]);
        assert_eq!(here.come(lee, &page), 2);
        here.forget(node);
        assert_eq!(changed(), [1]);
        here.go(lee, &page);
        let state = here.state();
        assert!(state.pages.is_empty() && state.elsewhere.is_empty());
    }
}
