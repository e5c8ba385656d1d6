//! The binary as its users start it.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{DEADLINE, Http, pass, until};

/// The program with nothing of this machine's environment but the database.
pub fn shopbell(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shopbell"));
    command.args(args).env_clear().current_dir(folder).stdin(Stdio::null());
    command.env("DATABASE_URL", format!("sqlite://{}", folder.join("shop.db").display()));
    command
}

pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A program that serves; killed when dropped.
pub struct Serving {
    pub child: Child,
    lines: mpsc::Receiver<String>,
    pub url: String,
}

impl Serving {
    pub fn start(folder: &Path, args: &[&str]) -> Self {
        let mut command = shopbell(folder, &["serve"]);
        command.args(args);
        if !args.contains(&"--addr") {
            command.args(["--addr", "127.0.0.1:0"]);
        }
        Self::of(command)
    }

    pub fn of(command: Command) -> Self {
        Self::logging(command, Stdio::null())
    }

    /// One whose log goes somewhere.
    pub fn logging(mut command: Command, log: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let first: String = lines.recv_timeout(DEADLINE).expect("a first line");
        let url = first.strip_prefix("listening on ").expect("the first line is the address").to_owned();
        assert!(url.starts_with("http://"), "{first}");
        Self { child, lines, url }
    }

    pub fn line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).expect("another line")
    }

    pub fn signal(&self, name: &str) {
        Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
    }

    /// Holds the whole program up for some time, as a busy machine would.
    pub async fn hold_up(&self, time: Duration) {
        self.signal("-STOP");
        pass(time).await;
        self.signal("-CONT");
    }

    pub fn http(&self) -> Http {
        Http::new(&self.url)
    }

    /// `127.0.0.1:41234`
    pub fn addr(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Waits for the end by itself and returns the exit code; -1 when a signal killed it.
    pub async fn ended(mut self) -> i32 {
        let child = &mut self.child;
        let status = until("the end of the program", || {
            let status = child.try_wait().unwrap();
            async move { status }
        });
        status.await.code().unwrap_or(-1)
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Value {
        let body = json!({"email": email, "password": password}).to_string();
        let call = client().post(format!("{}/api/auth", self.url)).header("Content-Type", "application/json");
        serde_json::from_str(&call.body(body).send().await.unwrap().text().await.unwrap()).unwrap()
    }

    pub async fn status(&self, path: &str, token: &str) -> u16 {
        let call = client().get(format!("{}{path}", self.url)).bearer_auth(token);
        call.send().await.unwrap().status().as_u16()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().unwrap()
}
