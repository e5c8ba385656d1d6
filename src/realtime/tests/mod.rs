//! For every interleaving of what happens to the log and to its readers, each client hears the log's sequence from where
//! it began: nothing twice, nothing out of order, nothing left out but what was pruned, and then it is told so. Who wants
//! bursts as digests hears it in stretches; what was bought and canceled within one burst may be left out then.
//!
//! The sessions, their outboxes, the registries and the reading of the log are the real ones. The log itself, the relay
//! and the clients are small models, so that every step can come at every moment.

use proptest::{prelude::*, test_runner::TestRunner};

use self::{client::Client, world::World};
use crate::outbox::Wire;

mod client;
mod world;

const CLIENTS: usize = 3;
const WORKERS: usize = 2;

/// One step of someone.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// This process commits so many notifications.
    Publish(u8),
    /// Another process does: they are in the log, and nobody is told.
    PublishElsewhere(u8),
    /// The beginning of the log goes, but for so many rows.
    Prune(u8),
    /// The relay begins the next batch, if the last is delivered. It looks into the store, or only into memory.
    Relay { look: bool },
    /// A worker gives a batch to so many of its sessions.
    Deliver { worker: usize, sessions: usize },
    /// A worker dies and is replaced.
    Restart { worker: usize },
    /// The second is over by which bursts are digested, if all of it is delivered.
    EndSecond,
    /// A worker tells its sessions the next digest.
    Digest { worker: usize },
    /// A client that is away connects or comes back; it may want so many alerts a second.
    Connect { client: usize, worker: usize, wire: Wire, digest: Option<u8> },
    /// A client reads once what waits for it; until then it stalls.
    Read { client: usize },
    /// A client's connection is lost, with all that was on its way.
    Cut { client: usize },
    /// A client that polls goes on over a WebSocket.
    Upgrade { client: usize },
    /// Tasks go on.
    Yield(u8),
}

fn steps() -> impl Strategy<Value = Step> {
    let wire = prop_oneof![Just(Wire::Polling), Just(Wire::Sse), Just(Wire::SocketIo), Just(Wire::Native)];
    let (client, worker) = (0..CLIENTS, 0..WORKERS);
    prop_oneof![
        4 => (1..6_u8).prop_map(Step::Publish),
        1 => (1..6_u8).prop_map(Step::PublishElsewhere),
        1 => (0..8_u8).prop_map(Step::Prune),
        6 => any::<bool>().prop_map(|look| Step::Relay { look }),
        6 => (worker.clone(), 0..3_usize).prop_map(|(worker, sessions)| Step::Deliver { worker, sessions }),
        1 => worker.clone().prop_map(|worker| Step::Restart { worker }),
        3 => Just(Step::EndSecond),
        3 => worker.clone().prop_map(|worker| Step::Digest { worker }),
        4 => (client.clone(), worker, wire, proptest::option::of(1..4_u8))
            .prop_map(|(client, worker, wire, digest)| Step::Connect { client, worker, wire, digest }),
        6 => client.clone().prop_map(|client| Step::Read { client }),
        2 => client.clone().prop_map(|client| Step::Cut { client }),
        1 => client.prop_map(|client| Step::Upgrade { client }),
        4 => (1..4_u8).prop_map(Step::Yield),
    ]
}

async fn run(steps: Vec<Step>) {
    let mut world = World::new();
    let mut clients: [Client; CLIENTS] = Default::default();
    for step in steps {
        match step {
            Step::Publish(count) => world.log.publish(count),
            Step::PublishElsewhere(count) => world.log.publish_elsewhere(count),
            Step::Prune(keep) => world.prune(keep),
            Step::Relay { look } => world.relay(look).await,
            Step::Deliver { worker, sessions } => world.deliver(worker, sessions),
            Step::Restart { worker } => {
                clients.iter_mut().filter(|client| client.is_at(worker)).for_each(Client::cut);
                world.restart(worker);
            }
            Step::EndSecond => world.end_second(),
            Step::Digest { worker } => world.digest(worker),
            Step::Connect { client, worker, wire, digest } => {
                clients[client].connect(&world, worker, wire, digest);
            }
            Step::Read { client } => clients[client].read(&world.log).await,
            Step::Cut { client } => clients[client].cut(),
            Step::Upgrade { client } => clients[client].upgrade(&world.log).await,
            Step::Yield(times) => pass(times).await,
        }
    }
    // Without anything new, all hear all of it. The rounds are bounded, so that a session that is forgotten is found; and
    // there are some more, so that nothing comes twice.
    let mut more = 3;
    for _ in 0..200 {
        more -= i32::from(clients.iter().all(|client| client.is_up_to(world.log.latest())));
        if more == 0 {
            return;
        }
        world.relay(true).await;
        (0..WORKERS).for_each(|worker| world.deliver(worker, CLIENTS));
        world.end_second();
        (0..WORKERS).for_each(|worker| world.digest(worker));
        for client in &mut clients {
            client.read(&world.log).await;
        }
        pass(2).await;
    }
    panic!("someone does not hear all of it");
}

/// Lets every task go on for so many turns.
async fn pass(turns: u8) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

#[test]
fn every_client_hears_the_logs_sequence() {
    let system = actix_rt::System::new();
    let config = ProptestConfig { source_file: Some(file!()), ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&proptest::collection::vec(steps(), 1..60), |steps| {
        system.block_on(run(steps));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
