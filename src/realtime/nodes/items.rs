//! News in parts: what does not fit into one message goes into several, each of which says something whole.

use crate::{
    domain::{GoodsEvent, Nickname, Offset, OwnOrder, Publication, SessionId, UserId},
    store::feed::News,
};

/// Parts of news.
pub(super) struct Items<'a> {
    pub(super) publications: &'a [Publication],
    pub(super) own: &'a [OwnOrder],
    pub(super) goods: &'a [GoodsEvent],
    pub(super) catalog: bool,
    pub(super) revoked: &'a [SessionId],
    pub(super) named: &'a [(UserId, Nickname)],
    pub(super) unnamed: &'a [Offset],
}

impl<'a> Items<'a> {
    /// All of them.
    pub(super) fn of(news: &'a News) -> Self {
        Self {
            publications: &news.publications,
            own: &news.own,
            goods: &news.goods,
            catalog: news.catalog,
            revoked: &news.revoked,
            named: &news.named,
            unnamed: &news.unnamed,
        }
    }

    fn len(&self) -> usize {
        self.publications.len()
            + self.own.len()
            + self.goods.len()
            + self.revoked.len()
            + self.named.len()
            + self.unnamed.len()
    }

    /// The first half of the parts and the second; `None` when there is one.
    pub(super) fn halves(&self) -> Option<(Self, Self)> {
        fn cut<'a, T>(items: &'a [T], left: &mut usize) -> (&'a [T], &'a [T]) {
            let (first, second) = items.split_at(items.len().min(*left));
            *left -= first.len();
            (first, second)
        }
        let mut left = self.len() / 2;
        if left == 0 {
            return None;
        }
        let (publications, own) = (cut(self.publications, &mut left), cut(self.own, &mut left));
        let (goods, revoked) = (cut(self.goods, &mut left), cut(self.revoked, &mut left));
        let (named, unnamed) = (cut(self.named, &mut left), cut(self.unnamed, &mut left));
        let catalog = self.catalog;
        Some((
            Self {
                publications: publications.0,
                own: own.0,
                goods: goods.0,
                catalog,
                revoked: revoked.0,
                named: named.0,
                unnamed: unnamed.0,
            },
            Self {
                publications: publications.1,
                own: own.1,
                goods: goods.1,
                catalog,
                revoked: revoked.1,
                named: named.1,
                unnamed: unnamed.1,
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_the_whole() {
        let all = News {
            revoked: (0..3).map(|n| SessionId::from_random([n; 16])).collect(),
            unnamed: (0..6).map(Offset).collect(),
            catalog: true,
            ..News::default()
        };
        let (mut open, mut unnamed, mut parts) = (vec![Items::of(&all)], Vec::new(), 0);
        while let Some(items) = open.pop() {
            assert!(items.catalog);
            match items.halves() {
                Some((first, second)) => open.extend([second, first]),
                None => {
                    parts += items.len();
                    unnamed.extend(items.unnamed);
                }
            }
        }
        assert_eq!((parts, unnamed), (9, all.unnamed));
    }
}
