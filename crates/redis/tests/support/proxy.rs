//! A way to a server on which replies get lost, and on which one hears what is asked.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::Server;

pub struct Proxy {
    port: u16,
    plan: Arc<Plan>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Plan {
    cuts: AtomicBool,
    heard: Mutex<Vec<u8>>,
}

impl Proxy {
    pub async fn before(server: &Server) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (to, plan) = (server.port(), Arc::<Plan>::default());
        let shared = Arc::clone(&plan);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(pass(client, to, Arc::clone(&shared)));
            }
        });
        Self { port, plan, task }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// The server carries out what it is asked next; its reply is lost, and so is the connection.
    pub fn lose_next_reply(&self) {
        self.plan.cuts.store(true, Ordering::SeqCst);
    }

    /// Whether that has happened.
    pub fn has_lost(&self) -> bool {
        !self.plan.cuts.load(Ordering::SeqCst)
    }

    /// What was asked since this was called the last time.
    pub fn heard(&self) -> Vec<u8> {
        std::mem::take(&mut *self.plan.heard.lock().unwrap())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut client: TcpStream, to: u16, plan: Arc<Plan>) {
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else {
        return;
    };
    let (mut asked, mut replied) = ([0; 65_536], [0; 65_536]);
    loop {
        let passed = tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(count) if count > 0 => {
                    plan.heard.lock().unwrap().extend_from_slice(&asked[..count]);
                    server.write_all(&asked[..count]).await
                }
                _ => return,
            },
            read = server.read(&mut replied) => match read {
                Ok(count) if count > 0 && !plan.cuts.swap(false, Ordering::SeqCst) => {
                    client.write_all(&replied[..count]).await
                }
                _ => return,
            },
        };
        if passed.is_err() {
            return;
        }
    }
}
