//! Who asks the shop for something, all along.

mod messenger;
pub(super) mod misconduct;
pub(super) mod payer;
mod prober;
mod rationed;
mod shopper;
mod vandal;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::scene::Scene;

/// Everybody, to be run side by side. Each ends by itself soon after the soak is over.
pub(super) fn all(scene: &Arc<Scene>) -> Vec<BoxFuture<'static, ()>> {
    let scene = || Arc::clone(scene);
    let mut guests = vec![
        vandal::asks_wrongly(scene()).boxed(),
        vandal::throws_garbage(scene()).boxed(),
        messenger::delivers(scene()).boxed(),
        rationed::in_volleys(scene()).boxed(),
        rationed::steadily(scene()).boxed(),
        rationed::by_user(scene()).boxed(),
        rationed::by_project(scene()).boxed(),
        prober::is_it_alive(scene()).boxed(),
        prober::is_it_ready(scene()).boxed(),
    ];
    guests.extend((0..PAYERS).map(|number| payer::pays(scene(), number).boxed()));
    guests.extend((0..SHOPPERS).map(|number| shopper::looks_around(scene(), number).boxed()));
    guests
}

const PAYERS: usize = 3;
const SHOPPERS: usize = 3;
