//! Places that are taken, kept and given back.

use super::{
    super::sessions::{Counts, MAX_IDLE},
    *,
};
use crate::{
    config::{CommonLayer, ServeLayer},
    limits::Standing,
};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn permits_with(change: impl FnOnce(&mut Settings)) -> Arc<Permits> {
    let mut settings = Settings::resolve(CommonLayer::default(), ServeLayer::default(), None).unwrap();
    change(&mut settings);
    Arc::new(Permits::new(&settings))
}

#[test]
fn permits_are_released() {
    let permits = permits_with(|settings| {
        settings.max_sessions_per_address = Some(2);
        settings.max_sessions_per_account = 1;
    });
    let now = Instant::now();
    let acquire = |address: &str| permits.acquire_session(address.parse().unwrap(), Claim::Guest, now);
    let held = [acquire("2001:db8:1:1::1").unwrap(), acquire("2001:db8:1:1::2").unwrap()];
    assert!(matches!(acquire("2001:db8:1:1::3"), Err(LimitExceeded::AddressSessions)));
    assert!(acquire("2001:db8:1:2::1").is_ok());
    drop(held);
    assert!(acquire("2001:db8:1:1::3").is_ok());
    let permit = permits.acquire_account(UserId(1)).unwrap();
    assert!(matches!(permits.acquire_account(UserId(1)), Err(LimitExceeded::AccountSessions)));
    assert!(permits.acquire_account(UserId(2)).is_ok());
    drop(permit);
    assert!(permits.acquire_account(UserId(1)).is_ok());
    assert_eq!(permits.sessions().counts(), Counts::default());
    assert_eq!(permits.of_accounts().here(), []);
}

#[test]
fn whoever_may_have_more_sessions_may_have_the_connections_for_them() {
    let permits = permits_with(|settings| {
        settings.max_connections = 8000;
        settings.max_sessions_per_address = Some(1500);
    });
    let start = Instant::now();
    let busy = |n: u64| {
        let permit = permits.acquire_connection(HERE, start + Duration::from_millis(10 * n)).unwrap();
        permit.place().unwrap().set_busy();
        permit
    };
    let open: Vec<_> = (0..3001).map(busy).collect();
    assert_eq!(open[2999].standing(), Standing::Served);
    assert_eq!(open[3000].standing(), Standing::Reserved);
}

#[test]
fn an_office_comes_back_at_once_and_a_flood_is_held_up() {
    let permits = permits_with(|settings| settings.handshake_rate = 10);
    let now = Instant::now();
    let begun = |now, claim| (0..100).filter(|_| permits.acquire_session(HERE, claim, now).is_ok()).count();
    assert_eq!(begun(now, Claim::Guest), 40);
    assert_eq!(begun(now + Duration::from_secs(1), Claim::Guest), 10);
    // Members are not held up by strangers of their network, nor by each other.
    assert_eq!(begun(now, Claim::Member(UserId(1))), 40);
    assert_eq!(begun(now, Claim::Member(UserId(2))), 40);
}

#[test]
fn an_address_opens_so_many_connections_a_second_and_an_account_chats_so_much() {
    let permits = permits_with(|settings| settings.trusted_proxy = vec![IpAddr::from([10, 0, 0, 1])]);
    let now = Instant::now();
    let opened =
        |address, now| (0..5000).filter(|_| permits.acquire_connection(address, now).is_some()).count();
    assert_eq!(opened(HERE, now), 1000);
    assert_eq!(opened(HERE, now + Duration::from_secs(1)), 500);
    assert_eq!(opened(IpAddr::from([10, 0, 0, 1]), now), 5000, "a proxy has no limit of its own");
    let said = |account, purse: &Purse| (0..100).filter(|_| permits.take_chat(account, purse, now)).count();
    let (here, there) = (permits.purse(HERE, false), permits.purse(IpAddr::from([10, 0, 0, 2]), false));
    assert_eq!((said(Some(UserId(1)), &here), said(Some(UserId(1)), &there)), (40, 0));
    assert_eq!((said(None, &here), said(None, &here), said(None, &there)), (40, 0, 40));
}

#[test]
fn a_proxy_that_names_nobody_has_no_limit_of_its_own() {
    let permits = permits_with(|settings| {
        settings.max_sessions_per_address = Some(1);
        settings.trusted_proxy = vec![HERE];
    });
    let _one = permits.acquire_session(HERE, Claim::Guest, Instant::now()).unwrap();
    assert!(permits.acquire_session(HERE, Claim::Guest, Instant::now()).is_ok());
}

#[test]
fn strangers_cannot_use_up_what_members_need() {
    let permits = permits_with(|settings| settings.max_connections = 8);
    let begin = |last, claim| permits.acquire_session(IpAddr::from([10, 0, 0, last]), claim, Instant::now());
    let mut strangers: Vec<_> = (0..100).filter_map(|_| begin(1, Claim::Guest).ok()).collect();
    assert_eq!(strangers.len(), 4, "a network has half");
    assert_eq!(begin(1, Claim::Guest).unwrap_err(), LimitExceeded::AddressSessions);
    strangers.extend((0..100).filter_map(|_| begin(2, Claim::Guest).ok()));
    assert_eq!(strangers.len(), 6, "a quarter is kept");
    assert_eq!(begin(3, Claim::Guest).unwrap_err(), LimitExceeded::Connections);
    let _members = [begin(1, Claim::Member(UserId(1))).unwrap(), begin(1, Claim::Member(UserId(2))).unwrap()];
    assert_eq!(begin(3, Claim::Member(UserId(3))).unwrap_err(), LimitExceeded::Connections);
}

#[test]
fn who_does_not_say_who_it_is_makes_room_for_the_next() {
    let permits = permits_with(|settings| {
        settings.max_connections = 4000;
        settings.max_sessions_per_address = Some(200);
    });
    let now = Instant::now();
    let begin = || permits.acquire_session(HERE, Claim::Pending, now).unwrap();
    let member = Claim::Member(UserId(1));
    let flood: Vec<_> = (0..100).map(|_| begin()).collect();
    let next = begin();
    assert!(flood[0].is_given_up() && !flood[1].is_given_up() && !next.is_given_up());
    assert!(flood[0].settle(member, now).is_err());
    assert_eq!(permits.sessions().counts().pending, 100);
    next.settle(member, now).unwrap();
    flood[1].settle(Claim::Guest, now).unwrap();
    let later: Vec<_> = (0..100).map(|_| begin()).collect();
    assert!(!next.is_given_up() && !flood[1].is_given_up() && flood[2].is_given_up());
    assert!(permits.sessions().remembered().1 <= 2 * 100 + 16);
    drop((flood, later));
    assert_eq!(permits.sessions().counts(), Counts { guests: 0, members: 1, pending: 0 });
}

#[test]
fn members_who_say_late_who_they_are_need_nothing_of_their_address() {
    let permits = permits_with(|settings| {
        settings.max_connections = 100;
        settings.max_sessions_per_address = Some(10);
        settings.handshake_rate = 10;
    });
    let now = Instant::now();
    // Strangers use up the places and the rate of their address.
    let guests: Vec<_> =
        (0..100).map_while(|_| permits.acquire_session(HERE, Claim::Guest, now).ok()).collect();
    assert_eq!(guests.len(), 10);
    let mut late = Vec::new();
    for n in 0..5 {
        let permit = permits.acquire_session(HERE, Claim::Pending, now).unwrap();
        permit.settle(Claim::Member(UserId(n)), now).unwrap();
        late.push(permit);
    }
    let stranger = permits.acquire_session(HERE, Claim::Pending, now).unwrap();
    assert_eq!(stranger.settle(Claim::Guest, now), Err(LimitExceeded::AddressSessions));
    // An account, too, begins so many sessions a second: each CONNECT is one.
    let again = (0..100).take_while(|_| late[0].settle(Claim::Member(UserId(0)), now).is_ok()).count();
    assert_eq!(again, 39);
}

#[test]
fn memory_is_bounded() {
    let permits = permits_with(|_| {});
    let now = Instant::now();
    for n in 0..250_000_u32 {
        drop(permits.acquire_session(IpAddr::from(n.to_be_bytes()), Claim::Guest, now));
    }
    assert!(permits.sessions().remembered().0 <= MAX_IDLE);
}
