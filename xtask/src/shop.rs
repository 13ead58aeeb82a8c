//! The example service, running for a task that asks it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use crate::{
    failure::Failure,
    process,
    workspace::{Workspace, cargo},
};

/// A running shop; killed when dropped.
pub(crate) struct Shop {
    /// `http://` and where it listens.
    pub(crate) address: String,
    child: Child,
}

impl Shop {
    /// Builds it and starts it with this `shop.toml`, which is written to `folder`.
    pub(crate) fn start(
        workspace: &Workspace,
        folder: &Path,
        settings: &str,
    ) -> Result<Self, Failure> {
        let mut build = cargo();
        build.args(["build", "--quiet", "-p", "shop"]);
        if !process::run(&mut build, &mut |_| {})?.success() {
            return Err(Failure::broken("the shop does not build"));
        }
        let did_not_start = |why: String| Failure::broken(format!("the shop did not start: {why}"));
        let config = folder.join("shop.toml");
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&config, settings))
            .map_err(|error| did_not_start(format!("{}: {error}", config.display())))?;
        let mut child = Command::new(workspace.target_directory.join("debug/shop"))
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| did_not_start(error.to_string()))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = BufReader::new(stdout);
            // A line that cannot be read is empty, which is refused below.
            let _ = stdout.read_line(&mut line);
            // A full pipe would stop the shop.
            thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        }
        let address = line.trim().strip_prefix("listening on ").map(str::to_owned);
        let shop = Self {
            address: address.unwrap_or_default(),
            child,
        };
        if shop.address.is_empty() {
            return Err(did_not_start(format!("it said `{}`", line.trim())));
        }
        Ok(shop)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // One that has ended already needs no more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
