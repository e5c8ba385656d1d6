//! A NATS server of a test's own.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{TestApp, eventually, until};

/// A server; killed when dropped.
pub struct Nats {
    port: u16,
    args: Vec<&'static str>,
    child: Option<Child>,
    folder: tempfile::TempDir,
}

impl Nats {
    /// One that runs.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// One that runs with more arguments.
    pub async fn start_with(args: &[&'static str]) -> Self {
        let mut nats = Self::prepare();
        nats.args = args.to_vec();
        nats.run().await;
        nats
    }

    /// One that does not run yet.
    pub fn prepare() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { port, args: Vec::new(), child: None, folder: tempfile::tempdir().unwrap() }
    }

    /// `nats://127.0.0.1:41234`
    pub fn url(&self) -> String {
        format!("nats://{}", self.addr())
    }

    /// `127.0.0.1:41234`
    pub fn addr(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it, or starts it again.
    pub async fn run(&mut self) {
        let mut command = Command::new(program());
        command.args(["--addr", "127.0.0.1", "--port", &self.port.to_string(), "--log"]);
        command.arg(self.folder.path().join("nats.log")).args(&self.args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().expect("nats-server runs; scripts/test installs it"));
        let addr = self.addr();
        eventually("the bus takes connections", || {
            let is_up = TcpStream::connect(&addr).is_ok();
            async move { is_up }
        })
        .await;
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Debian's is where only root's path looks.
fn program() -> &'static str {
    let debian = "/usr/sbin/nats-server";
    if Path::new(debian).exists() { debian } else { "nats-server" }
}

/// Waits until a node says that its bus is `up` or `away`.
pub async fn bus_is(app: &TestApp, state: &str) {
    until(&format!("the bus is {state}"), async || {
        let answer = app.get("/readyz").send().await.expect(200);
        assert_eq!((&answer.json["status"], &answer.json["database"]), (&"ready".into(), &"up".into()));
        (answer.json["bus"] == state).then_some(())
    })
    .await;
}
