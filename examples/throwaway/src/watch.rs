//! Ends a server whose owner was killed, and so could not end it.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A shell that holds one end of a pipe. The other end is ours, and closes with us, however we end.
///
/// The parent-death signal of Linux was no way: it is sent when the *thread* ends that started the
/// child, and asking for it between fork and exec takes `unsafe`.
#[derive(Debug)]
pub(crate) struct Watch {
    shell: Child,
}

impl Watch {
    /// Watches over the process `server`, which works in the folder `data` or below.
    pub(crate) fn over(server: u32, data: &Path) -> io::Result<Self> {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "sh", &server.to_string()])
            .arg(data)
            .env("PATH", "/usr/bin:/bin")
            .current_dir("/")
            // Ctrl-C at the terminal is for us; what it means for the server is ours to say.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { shell })
    }
}

/// The watch ends and the server stays: whoever drops it sees to the server.
impl Drop for Watch {
    fn drop(&mut self) {
        // The shell is killed before its pipe closes, or it would take that for our end.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// `$1` is the server, `$2` its folder. A number that meanwhile belongs to another process is told by
/// where that process works.
const SCRIPT: &str = r#"
ours() {
    case "$(readlink "/proc/$1/cwd")" in "$2" | "$2"/*) true ;; *) false ;; esac
}
read -r _
ours "$1" "$2" && kill -INT "$1"
tries=0
while ours "$1" "$2" && [ "$tries" -lt 50 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
ours "$1" "$2" && kill -KILL "$1"
rm -rf -- "$2"
"#;

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;

    /// Something that runs for longer than any test.
    fn server(folder: &Path) -> Child {
        let mut command = Command::new("sleep");
        command.arg("600").current_dir(folder).spawn().unwrap()
    }

    fn runs(server: &mut Child) -> bool {
        matches!(server.try_wait(), Ok(None))
    }

    /// As its owner's death would.
    fn close_pipe(watch: &mut Watch) {
        drop(watch.shell.stdin.take());
        for _ in 0..1000 {
            if !matches!(watch.shell.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the watch does not end");
    }

    #[test]
    fn ends_the_server_and_removes_its_data_once_the_owner_is_gone() {
        let data = TempDir::new().unwrap();
        let mut server = server(data.path());
        let mut watch = Watch::over(server.id(), data.path()).unwrap();
        assert!(runs(&mut server));
        close_pipe(&mut watch);
        assert!(!runs(&mut server));
        assert!(!data.path().exists());
    }

    #[test]
    fn a_watch_that_is_dropped_leaves_the_server_alone() {
        let data = TempDir::new().unwrap();
        let mut server = server(data.path());
        drop(Watch::over(server.id(), data.path()).unwrap());
        let left_alone = runs(&mut server) && data.path().exists();
        server.kill().unwrap();
        server.wait().unwrap();
        assert!(left_alone);
    }

    #[test]
    fn a_stranger_with_the_number_of_the_server_is_left_alone() {
        let (data, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let mut stranger = server(elsewhere.path());
        let mut watch = Watch::over(stranger.id(), data.path()).unwrap();
        close_pipe(&mut watch);
        let left_alone = runs(&mut stranger);
        stranger.kill().unwrap();
        stranger.wait().unwrap();
        assert!(left_alone);
        assert!(!data.path().exists());
    }
}
