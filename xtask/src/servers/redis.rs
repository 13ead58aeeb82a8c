//! One Redis that keeps nothing on disk.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::Command,
    time::Duration,
};

use super::{Server, folder, launch};
use crate::{failure::Failure, install::Program};

pub(super) fn start() -> Result<Server, Failure> {
    let program = Program {
        name: "redis-server",
        package: "redis-server",
        otherwise: ", or pass --without-servers",
        folders: Vec::new(),
    };
    let program = program.find_or_install()?;
    let data = folder("redis")?;
    let directory = data.path().to_owned();
    launch(
        "redis",
        data,
        |port| {
            let mut command = Command::new(&program);
            command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"]);
            command
                .arg(&directory)
                .args(["--save", "", "--appendonly", "no"]);
            command
        },
        |port| format!("redis://127.0.0.1:{port}/"),
        |port| answers_ping(port).unwrap_or(false),
    )
}

fn answers_ping(port: u16) -> std::io::Result<bool> {
    let limit = Duration::from_millis(500);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+PONG")
}
