//! A server as a child process: on a core of its own, ended with its handle, and what the kernel says it used.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use rustix::thread::{CpuSet, sched_setaffinity};

use crate::Result;

/// Where servers run.
pub const SERVER_CORE: usize = 0;
/// Where the load comes from.
pub const CLIENT_CORE: usize = 1;

/// Keeps the calling thread, and what it starts from now on, on one core.
///
/// # Errors
/// The machine has no such core.
pub fn pin(core: usize) -> Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores)
        .map_err(|error| format!("cannot use core {core}, two cores are needed: {error}").into())
}

/// What a program prints before it ends.
///
/// # Errors
/// It cannot be started.
pub fn output(program: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(args)
        .output()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A running server; ends with this value.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    /// Starts a program on [`SERVER_CORE`]. It inherits the core from the calling thread, so that not even its
    /// first thread ever runs elsewhere.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(command: &mut Command) -> Result<Self> {
        pin(SERVER_CORE)?;
        let spawned = Self::beside(command.stdin(Stdio::null()));
        pin(CLIENT_CORE)?;
        spawned
    }

    /// Starts a program on the cores of the calling thread. With a piped standard input it can be told something.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn beside(command: &mut Command) -> Result<Self> {
        let spawned = command.stdout(Stdio::piped()).spawn();
        let mut child =
            spawned.map_err(|error| format!("cannot start {:?}: {error}", command.get_program()))?;
        let stdout = child.stdout.take().ok_or("a child without standard output")?;
        let (sender, lines) = channel();
        // Reads on for as long as the program writes, or it would block one day.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
                drop(sender.send(line));
            }
        });
        Ok(Self { child, lines })
    }

    /// What follows a prefix in the first line of its standard output that has it.
    ///
    /// # Errors
    /// It does not come within half a minute.
    pub fn line_after(&self, prefix: &str) -> Result<String> {
        self.line_within(prefix, Duration::from_secs(30))
    }

    /// As [`Process::line_after`], and so long at most for each line.
    ///
    /// # Errors
    /// It does not come in time.
    pub fn line_within(&self, prefix: &str, time: Duration) -> Result<String> {
        loop {
            let line = self.lines.recv_timeout(time);
            let line =
                line.map_err(|_| format!("the process did not print a line that begins with {prefix:?}"))?;
            if let Some(rest) = line.strip_prefix(prefix) {
                return Ok(rest.to_owned());
            }
        }
    }

    /// Writes a line to its standard input.
    ///
    /// # Errors
    /// It has ended, or does not hear.
    pub fn say(&mut self, line: &str) -> Result<()> {
        let stdin = self.child.stdin.as_mut().ok_or("a child without standard input")?;
        Ok(writeln!(stdin, "{line}")?)
    }

    /// The number of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The processor time of all its threads that live.
    ///
    /// # Errors
    /// The process has ended.
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.pid()))? {
            // A thread may end in between; those of a server under load do not.
            let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            nanos += schedstat(&text)?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Bytes of its memory that are resident.
    ///
    /// # Errors
    /// The process has ended.
    pub fn rss(&self) -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        resident(&text).ok_or_else(|| "the process has no memory: it has ended".into())
    }

    /// Asks it to end.
    ///
    /// # Errors
    /// It has ended.
    pub fn ask_to_end(&self) -> Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        Ok(rustix::process::kill_process(pid, rustix::process::Signal::TERM)?)
    }

    /// Whether it has ended.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Asks it to end and waits for that.
    ///
    /// # Errors
    /// It did not end within 30 s.
    pub fn terminate(mut self) -> Result<()> {
        self.ask_to_end()?;
        for _ in 0..3_000 {
            if self.has_ended()? {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err("the server did not end within 30 s of SIGTERM".into())
    }

    /// Ends it on the spot, as a loss of power would.
    ///
    /// # Errors
    /// It could not be waited for.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The processor time of the calling thread.
///
/// # Errors
/// The kernel does not tell.
pub fn own_cpu() -> Result<Duration> {
    Ok(Duration::from_nanos(schedstat(&fs::read_to_string("/proc/thread-self/schedstat")?)?))
}

/// Nanoseconds on a processor: the first field (`Documentation/scheduler/sched-stats.rst`).
fn schedstat(text: &str) -> Result<u64> {
    Ok(text.split_whitespace().next().ok_or("schedstat is empty: the kernel does not count")?.parse()?)
}

fn resident(status: &str) -> Option<u64> {
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    kilobytes.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_understood() {
        assert_eq!(schedstat("244313 1763352 2\n").unwrap(), 244_313);
        assert!(schedstat("").is_err());
        assert_eq!(resident("Name:\tx\nVmRSS:\t    1234 kB\n"), Some(1234 * 1024));
        assert_eq!(resident("Name:\tx\n"), None);
    }
}
