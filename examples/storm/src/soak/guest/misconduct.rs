//! Clients that do not do their part, for a while.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time;

use super::payer::settle;
use crate::client::connect;
use crate::scenario::{Order, trickle};
use crate::soak::plan::Misconduct;
use crate::soak::scene::Scene;

/// Plays it. None of them is owed an answer; what they left behind is settled like everything else.
pub(in crate::soak) async fn play(scene: &Arc<Scene>, how: Misconduct, lasts: Duration) {
    match how {
        Misconduct::Leave => leave(scene).await,
        Misconduct::Trickle => {
            hold(scene, lasts, 12, async |number, stream| {
                trickle(stream, if number % 2 == 0 { HEAD } else { BODY }).await;
            })
            .await;
        }
        Misconduct::Unread => hold(scene, lasts, 4, async |_, stream| unread(stream).await).await,
    }
}

const HEAD: &str = "GET /api/users/1 HTTP/1.1\r\nhost: shop\r\n";
const BODY: &str = "POST /api/users HTTP/1.1\r\nhost: shop\r\n\
    content-type: application/json\r\ncontent-length: 100000\r\n\r\n{\"email\":\"";

/// Sends payments, whole or half, and hangs up at some time; then comes again for the receipts.
async fn leave(scene: &Arc<Scene>) {
    let left = (0..8_u64).map(async |number| {
        let order = Order::new();
        scene.books.begun(&order);
        let text = order.request(scene.ground.api());
        let sent = if number % 3 == 0 {
            &text[..text.len() - 7]
        } else {
            &text
        };
        if let Ok(mut stream) = connect(scene.addresses.take(), scene.ground.api()).await {
            let _ = stream.write_all(sent.as_bytes()).await;
            time::sleep(Duration::from_millis(15 * number)).await;
        }
        order
    });
    for order in join_all(left).await {
        settle(scene, &order).await;
    }
}

async fn hold(
    scene: &Arc<Scene>,
    lasts: Duration,
    clients: usize,
    play: impl AsyncFn(usize, TcpStream),
) {
    let held = (0..clients).map(async |number| {
        if let Ok(stream) = connect(scene.addresses.take(), scene.ground.api()).await {
            play(number, stream).await;
        }
    });
    let _ = time::timeout(lasts, join_all(held)).await;
}

/// Asks and asks, and reads none of the answers: until nothing more is taken, and then waits.
async fn unread(mut stream: TcpStream) {
    let request = "GET /openapi.json HTTP/1.1\r\nhost: shop\r\n\r\n".repeat(16);
    while stream.write_all(request.as_bytes()).await.is_ok() {}
}
