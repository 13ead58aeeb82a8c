//! One Redis.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::server::Disk;
use crate::{Error, Program};

pub(crate) fn program() -> Program {
    Program {
        name: "redis-server",
        package: "redis-server",
        folders: Vec::new(),
    }
}

/// How it is started.
#[derive(Debug)]
pub(crate) struct Launch {
    program: PathBuf,
    directory: PathBuf,
    disk: Disk,
}

impl Launch {
    pub(crate) fn prepare(data: &Path, disk: Disk) -> Result<Self, Error> {
        Ok(Self {
            program: program().find()?,
            directory: data.to_owned(),
            disk,
        })
    }

    pub(crate) fn command(&self, port: u16) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"]);
        // What is appended is written before it is answered, so the kernel has it when the process
        // dies; syncing it would only help against a power cut.
        let append = match self.disk {
            Disk::Nothing => "no",
            Disk::Writes => "yes",
        };
        command
            .arg(&self.directory)
            .current_dir(&self.directory)
            .args(["--save", "", "--appendonly", append])
            .args(["--appendfsync", "no"]);
        command
    }
}

pub(crate) fn answers_ping(port: u16) -> io::Result<bool> {
    let limit = Duration::from_millis(500);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+PONG")
}
