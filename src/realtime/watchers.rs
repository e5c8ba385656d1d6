//! The sessions of one thread that watch the figures: administrators with the control room open.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use super::{announcement::Announcement, session::Session, tally::Tally};

struct Watcher {
    session: Rc<Session>,
    /// Whether it may was found out, and it may. Until then it is told nothing.
    is_admitted: bool,
}

/// Those who watch. There are as many as administrators have sessions.
pub(super) struct Watchers {
    list: RefCell<Vec<Watcher>>,
    tally: Arc<Tally>,
}

impl Watchers {
    pub(super) fn new(tally: Arc<Tally>) -> Self {
        Self { list: RefCell::default(), tally }
    }

    /// A session asks to watch; `false` when it watches already. One that asks again before it is known whether it may is
    /// asked about again.
    pub(super) fn ask(&self, session: &Rc<Session>) -> bool {
        let mut list = self.list.borrow_mut();
        let watcher = list.iter().find(|watcher| Rc::ptr_eq(&watcher.session, session));
        let is_admitted = watcher.is_some_and(|watcher| watcher.is_admitted);
        if watcher.is_none() && !session.has_left() {
            list.push(Watcher { session: Rc::clone(session), is_admitted: false });
        }
        !is_admitted
    }

    /// A session may watch, if it still wants to.
    pub(super) fn admit(&self, session: &Rc<Session>) {
        let mut list = self.list.borrow_mut();
        let watcher = list.iter_mut().find(|watcher| Rc::ptr_eq(&watcher.session, session));
        if let Some(watcher) = watcher.filter(|watcher| !watcher.is_admitted) {
            watcher.is_admitted = true;
            self.tally.watching(1);
        }
    }

    /// A session watches no longer.
    pub(super) fn end(&self, session: &Session) {
        let mut list = self.list.borrow_mut();
        let Some(index) = list.iter().position(|watcher| std::ptr::eq(&*watcher.session, session)) else {
            return;
        };
        if list.swap_remove(index).is_admitted {
            self.tally.watching(-1);
        }
    }

    /// Tells those who may watch.
    pub(super) fn tell(&self, figures: &Announcement) {
        for watcher in self.list.borrow().iter().filter(|watcher| watcher.is_admitted) {
            watcher.session.announce(figures);
        }
    }
}
