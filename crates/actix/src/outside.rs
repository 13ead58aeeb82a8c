//! Which middlewares stand outside of whoever reads this: an extension of the request.

use actix_web::HttpMessage as _;
use actix_web::dev::{Extensions, ServiceRequest};
use seawall_web::order::{self, Layers};

/// A set of middlewares. One extension for all of them: each that leaves a mark of its own makes the
/// map of extensions grow.
///
/// In release builds only those marks are left that something decides by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outside(Layers);

impl Outside {
    pub(crate) const ERRORS: Self = Self(Layers::ERRORS);
    pub(crate) const RATE_LIMIT: Self = Self(Layers::RATE_LIMIT);

    /// Those that have left their mark so far.
    #[inline]
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or_default()
    }

    /// Leaves a mark for those below, and tells who has left one before.
    #[inline]
    pub(crate) fn enter(extensions: &mut Extensions, layers: Self) -> Self {
        let before = match extensions.get_mut::<Self>() {
            Some(outside) => {
                let before = *outside;
                outside.0 = before.0.with(layers.0);
                before
            }
            None => {
                extensions.insert(layers);
                Self::default()
            }
        };
        if cfg!(debug_assertions) {
            order::look(layers.0, before.0, &mut |rule| {
                tracing::warn!(target: "seawall::order", "{rule}");
            });
        }
        before
    }

    /// The same for a middleware whose mark nobody decides by: nothing in release builds.
    #[inline]
    pub(crate) fn pass(request: &ServiceRequest, layer: Layers) {
        if cfg!(debug_assertions) {
            Self::enter(&mut request.extensions_mut(), Self(layer));
        }
    }

    /// Whether all of these are among them.
    pub(crate) const fn has(self, layers: Self) -> bool {
        self.0.has(layers.0)
    }
}
