//! What was reported of what was said in the rooms, and who may not speak.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    domain::{NewReport, Person, PersonPatch, ReportId, ReportOutcome, Said, Speaker},
    store::{Denied, ModerationError, MutedGuest, PersonError},
};

/// The nth message of someone, reported by someone.
async fn report(store: &dyn Store, speaker: Speaker, by: Speaker, n: u32) {
    let at = NOW.plus(Duration::from_millis(n.into()));
    let said = Said { at, speaker, nickname: "kim".into(), message: format!("message {n}").into() };
    store.report(NewReport { room: "tea".into(), said: Arc::new(said), by, at }, 3).await.unwrap();
}

async fn mute(store: &dyn Store, user: UserId, muted: bool, by: Actor) -> Result<Person, PersonError> {
    let patch = PersonPatch { muted: Some(muted), ..PersonPatch::default() };
    store.change_person(user, patch, Some(by), NOW).await
}

async fn numbers(store: &dyn Store, open: Option<bool>) -> Vec<String> {
    let found = store.reports(open, None, 9).await.unwrap();
    found.iter().map(|report| report.said.message.rsplit_once(' ').unwrap().1.to_owned()).collect()
}

pub(in crate::store) async fn a_message_is_reported_once_and_the_newest_reports_are_kept(store: &dyn Store) {
    let kim = Speaker::Member(a_user(store, "kim").await.user_id);
    let guest = Speaker::Guest { visitor: u64::MAX, network: Some("2001:db8::".parse().unwrap()) };
    for n in [1, 1, 2, 3, 4, 2] {
        report(store, guest, kim, n).await;
    }
    assert_eq!(numbers(store, None).await, ["4", "3", "2"]);
    let found = store.reports(None, None, 1).await.unwrap();
    assert_eq!((found[0].said.speaker, found[0].author.as_ref()), (guest, None), "as it was kept");
    assert_eq!(found[0].reported_by.as_ref().map(|(_, name)| &**name), Some("kim"));
    let next = store.reports(None, Some(found[0].report_id), 1).await.unwrap();
    assert_eq!(&*next[0].said.message, "message 3");
}

pub(in crate::store) async fn a_report_is_closed_and_silences_its_member(store: &dyn Store) {
    let admin = logged_in(store, "boss", Role::Admin, 1).await;
    let kim = logged_in(store, "kim", Role::Member, 2).await;
    let speaker = Speaker::Member(kim.user_id);
    for n in [1, 2] {
        report(store, speaker, speaker, n).await;
    }
    let ids: Vec<_> = store.reports(None, None, 9).await.unwrap().iter().map(|one| one.report_id).collect();
    let denied = store.close_report(ids[0], ReportOutcome::Muted, kim, NOW).await;
    assert!(matches!(denied, Err(ModerationError::Denied(Denied::NotAdmin))), "{denied:?}");
    let nobodys = store.close_report(ReportId(99), ReportOutcome::Muted, admin, NOW).await;
    assert!(matches!(nobodys, Err(ModerationError::NotFound)), "{nobodys:?}");
    let dismissed = store.close_report(ids[1], ReportOutcome::Dismissed, admin, NOW).await.unwrap();
    assert_eq!(dismissed.closed, Some((ReportOutcome::Dismissed, NOW)));
    assert_eq!(store.muted().await.unwrap(), []);
    store.close_report(ids[0], ReportOutcome::Muted, admin, NOW).await.unwrap();
    assert_eq!(store.muted().await.unwrap(), [kim.user_id]);
    assert_eq!(numbers(store, Some(true)).await.len(), 0);
    assert_eq!(numbers(store, Some(false)).await, ["2", "1"]);
    mute(store, kim.user_id, false, admin).await.unwrap();
    for _ in 0..2 {
        mute(store, admin.user_id, true, admin).await.unwrap();
    }
    assert_eq!(store.muted().await.unwrap(), [admin.user_id]);
    let nobody = mute(store, UserId(99), true, admin).await;
    assert!(matches!(nobody, Err(PersonError::NotFound)), "{nobody:?}");
    // What is refused is refused whole.
    let both = PersonPatch { banned: Some(true), muted: Some(false), ..PersonPatch::default() };
    let last = store.change_person(admin.user_id, both, Some(admin), NOW).await;
    assert!(matches!(last, Err(PersonError::LastAdmin)), "{last:?}");
    assert_eq!(store.muted().await.unwrap(), [admin.user_id]);
}

pub(in crate::store) async fn the_guests_that_were_muted_lately_are_known(store: &dyn Store) {
    let admin = logged_in(store, "boss", Role::Admin, 1).await;
    let by = Speaker::Member(admin.user_id);
    let network = Some("2001:db8::".parse().unwrap());
    let guests = [(u64::MAX, network), (7, None), (8, None)];
    for ((visitor, network), n) in guests.into_iter().zip(1..) {
        report(store, Speaker::Guest { visitor, network }, by, n).await;
    }
    let ids: Vec<_> = store.reports(None, None, 9).await.unwrap().iter().map(|one| one.report_id).collect();
    for (id, outcome, after) in [
        (ids[2], ReportOutcome::Muted, 500),
        (ids[1], ReportOutcome::Muted, 0),
        (ids[0], ReportOutcome::Dismissed, 500),
    ] {
        store.close_report(id, outcome, admin, NOW.plus(Duration::from_millis(after))).await.unwrap();
    }
    let at = NOW.plus(Duration::from_millis(500));
    let found = store.muted_guests(NOW).await.unwrap();
    assert_eq!(found, [MutedGuest { visitor: u64::MAX, network, at }], "muted, and since then");
    assert_eq!(store.muted_guests(Timestamp::from_millis(0)).await.unwrap().len(), 2);
}

pub(in crate::store) async fn an_erased_account_is_in_no_report(store: &dyn Store) {
    let admin = logged_in(store, "boss", Role::Admin, 1).await;
    let kim = logged_in(store, "kim", Role::Member, 2).await;
    let guest = Speaker::Guest { visitor: 7, network: None };
    let speaker = Speaker::Member(kim.user_id);
    report(store, speaker, guest, 1).await;
    report(store, guest, speaker, 2).await;
    mute(store, kim.user_id, true, admin).await.unwrap();
    assert_eq!(store.kept_reports(kim.user_id, None, 9).await.unwrap().len(), 2);
    store.erase_user(kim, NOW).await.unwrap();
    assert_eq!(numbers(store, None).await, ["2"]);
    assert_eq!(store.kept_reports(kim.user_id, None, 9).await.unwrap(), []);
    // Someone else may still see the message for a while, and report it only then.
    report(store, speaker, guest, 3).await;
    assert_eq!(numbers(store, None).await, ["2"]);
    assert_eq!(store.muted().await.unwrap(), []);
}
