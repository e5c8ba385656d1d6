//! News in parts: what does not fit into one message goes into several, each of which says something whole.

use crate::{
    domain::{GoodsEvent, Nickname, Offset, OwnOrder, Publication, SessionId, TraceContext, UserId},
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
    /// Those of the publications; they go where these go.
    pub(super) traces: &'a [(Offset, TraceContext)],
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
            traces: &[],
        }
    }

    /// With what other nodes are told of their traces, in the order of the publications.
    pub(super) fn traced_as(self, traces: &'a [(Offset, TraceContext)]) -> Self {
        Self { traces, ..self }
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
        let with_first =
            publications.0.last().map_or(0, |last| self.traces.partition_point(|(id, _)| *id <= last.id));
        let traces = self.traces.split_at(with_first);
        Some((
            Self {
                publications: publications.0,
                own: own.0,
                goods: goods.0,
                catalog,
                revoked: revoked.0,
                named: named.0,
                unnamed: unnamed.0,
                traces: traces.0,
            },
            Self {
                publications: publications.1,
                own: own.1,
                goods: goods.1,
                catalog,
                revoked: revoked.1,
                named: named.1,
                unnamed: unnamed.1,
                traces: traces.1,
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{GoodsId, Notification, Timestamp};

    #[test]
    fn traces_go_where_their_publications_go() {
        let publication = |id| Publication {
            id: Offset(id),
            date: Timestamp::from_millis(0),
            notification: Notification::Cancellation { goods_id: GoodsId(1), canceled: Offset(1) },
        };
        let (trace, _) =
            TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        let all = News { publications: (11..=16).map(publication).collect(), ..News::default() };
        let traces: Vec<_> = [12, 13, 14, 16].map(|id| (Offset(id), trace)).into();
        let mut open = vec![Items::of(&all).traced_as(&traces)];
        let mut seen = Vec::new();
        while let Some(items) = open.pop() {
            match items.halves() {
                Some((first, second)) => open.extend([second, first]),
                None => seen.extend(items.traces.iter().map(|(id, _)| (items.publications[0].id.0, id.0))),
            }
        }
        assert_eq!(seen, [(12, 12), (13, 13), (14, 14), (16, 16)]);
    }

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
