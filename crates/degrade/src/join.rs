//! Joins of a fixed number of components of different types.

use std::borrow::Cow;
use std::error::Error;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::component::kind::Kind;
use crate::drive::{Alarm, Pace, Turn};
use crate::{Component, ComponentError, Degrade, Fault, Partial, Reason, Served, Unavailable};

/// A tuple of [`Component`]s.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple of components",
    note = "join a tuple of up to twelve: `(critical(\"user\", …), optional(\"orders\", …))`, and `(optional(…),)` for one",
    note = "a component's future gives a `Result` whose error converts into `Box<dyn Error + Send + Sync>`"
)]
pub trait Parts: sealed::Parts {}

pin_project! {
    /// The future of [`Degrade::join`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Join<P: Parts> {
        settings: Degrade,
        pace: Pace,
        alarm: Alarm,
        #[pin]
        slots: P::Slots,
    }
}

impl<P: Parts> Join<P> {
    #[inline]
    pub(crate) fn new(settings: Degrade, parts: P) -> Self {
        let pace = Pace::new(&settings);
        let slots = parts.into_slots(&pace);
        Self {
            settings,
            pace,
            alarm: Alarm::new(),
            slots,
        }
    }
}

impl<P: Parts> std::fmt::Debug for Join<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Join")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl<P: Parts> Future for Join<P> {
    type Output = Result<Partial<P::Output>, Unavailable>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            this.pace.round();
            let slots = this.slots.as_mut();
            if P::poll_each(slots, this.pace, this.settings, cx)? {
                let mut errors = Vec::new();
                let data = P::take(this.slots, &mut errors);
                return Poll::Ready(Ok(Partial::new(data, errors)));
            }
            // When the alarm rings at once, a component's time is up: the next round ends it.
            if this.alarm.poll(this.pace, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

pin_project! {
    /// A component in the course of a join.
    pub struct Progress<F, K, O> {
        name: Cow<'static, str>,
        kind: Option<K>,
        turn: Turn,
        #[pin]
        future: Option<F>,
        output: Option<O>,
        error: Option<Fault>,
    }
}

impl<F, K, O> Progress<F, K, O> {
    #[inline]
    fn new(component: Component<F, K>, pace: &Pace) -> Self {
        Self {
            name: component.name,
            kind: Some(component.kind),
            turn: pace.turn(component.limit),
            future: Some(component.future),
            output: None,
            error: None,
        }
    }
}

impl<F, K, T, E> Progress<F, K, K::Output>
where
    F: Future<Output = Result<T, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
    K: Kind<T>,
{
    /// Whether the component has its output.
    fn poll(
        self: Pin<&mut Self>,
        pace: &mut Pace,
        settings: &Degrade,
        cx: &mut Context<'_>,
    ) -> Result<bool, Unavailable> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Ok(true);
        };
        let Poll::Ready(result) = pace.poll(this.turn, future, cx) else {
            return Ok(false);
        };
        // The component is done and gives back what it holds now, not when the slowest is done. One
        // that panics while it is dropped has given its value nevertheless.
        let _ = catch_unwind(AssertUnwindSafe(|| this.future.set(None)));
        let kind = this.kind.take();
        let kind = kind.expect("a component which has a future has a kind");
        match result {
            Ok(value) => {
                settings.served(this.name, None);
                *this.output = Some(kind.with(value));
                Ok(true)
            }
            Err(reason) => {
                let (output, instead) = kind.without();
                settings.failed(this.name, None, &reason, instead);
                if output.is_none() {
                    return Err(refusal(this.name, reason));
                }
                *this.output = output;
                *this.error = Some(fault(instead));
                Ok(true)
            }
        }
    }

    fn take(self: Pin<&mut Self>, errors: &mut Vec<ComponentError>) -> K::Output {
        let this = self.project();
        if let Some(fault) = *this.error {
            errors.push(ComponentError::new(std::mem::take(this.name), fault));
        }
        this.output
            .take()
            .expect("a join is over once, when every component has its output")
    }
}

#[cold]
fn refusal(name: &mut Cow<'static, str>, reason: Reason) -> Unavailable {
    Unavailable::new(std::mem::take(name), reason)
}

fn fault(instead: Served) -> Fault {
    match instead {
        Served::Stale(_) => Fault::Stale,
        Served::Refusal | Served::Nothing | Served::Default => Fault::Unavailable,
    }
}

mod sealed {
    use super::{ComponentError, Context, Degrade, Pace, Pin, Unavailable};

    #[expect(unnameable_types, reason = "it seals `Parts`")]
    pub trait Parts {
        type Output;
        type Slots;

        fn into_slots(self, pace: &Pace) -> Self::Slots;

        /// Polls each component once; whether all have their output.
        fn poll_each(
            slots: Pin<&mut Self::Slots>,
            pace: &mut Pace,
            settings: &Degrade,
            cx: &mut Context<'_>,
        ) -> Result<bool, Unavailable>;

        fn take(slots: Pin<&mut Self::Slots>, errors: &mut Vec<ComponentError>) -> Self::Output;
    }
}

/// One struct for each size, since a tuple's fields cannot be pinned.
macro_rules! tuples {
    ($($slots:ident: $($field:ident $F:ident $K:ident $T:ident $E:ident),+;)+) => {$(
        pin_project! {
            pub struct $slots<$($F, $K, $T),+> {
                $(#[pin] $field: Progress<$F, $K, $T>,)+
            }
        }

        impl<$($F, $K, $T, $E),+> Parts for ($(Component<$F, $K>,)+)
        where
            $(
                $F: Future<Output = Result<$T, $E>>,
                $K: Kind<$T>,
                $E: Into<Box<dyn Error + Send + Sync>>,
            )+
        {}

        impl<$($F, $K, $T, $E),+> sealed::Parts for ($(Component<$F, $K>,)+)
        where
            $(
                $F: Future<Output = Result<$T, $E>>,
                $K: Kind<$T>,
                $E: Into<Box<dyn Error + Send + Sync>>,
            )+
        {
            type Output = ($($K::Output,)+);
            type Slots = $slots<$($F, $K, $K::Output),+>;

            fn into_slots(self, pace: &Pace) -> Self::Slots {
                let ($($field,)+) = self;
                $slots { $($field: Progress::new($field, pace),)+ }
            }

            fn poll_each(
                slots: Pin<&mut Self::Slots>,
                pace: &mut Pace,
                settings: &Degrade,
                cx: &mut Context<'_>,
            ) -> Result<bool, Unavailable> {
                let this = slots.project();
                let mut all = true;
                $(all &= this.$field.poll(pace, settings, cx)?;)+
                Ok(all)
            }

            fn take(
                slots: Pin<&mut Self::Slots>,
                errors: &mut Vec<ComponentError>,
            ) -> Self::Output {
                let this = slots.project();
                ($(this.$field.take(errors),)+)
            }
        }
    )+};
}

tuples! {
    Slots1: a Fa Ka Ta Ea;
    Slots2: a Fa Ka Ta Ea, b Fb Kb Tb Eb;
    Slots3: a Fa Ka Ta Ea, b Fb Kb Tb Eb, c Fc Kc Tc Ec;
    Slots4: a Fa Ka Ta Ea, b Fb Kb Tb Eb, c Fc Kc Tc Ec, d Fd Kd Td Ed;
    Slots5: a Fa Ka Ta Ea, b Fb Kb Tb Eb, c Fc Kc Tc Ec, d Fd Kd Td Ed, e Fe Ke Te Ee;
    Slots6: a Fa Ka Ta Ea, b Fb Kb Tb Eb, c Fc Kc Tc Ec, d Fd Kd Td Ed, e Fe Ke Te Ee, f Ff Kf Tf Ef;
    Slots7: a Fa Ka Ta Ea, b Fb Kb Tb Eb, c Fc Kc Tc Ec, d Fd Kd Td Ed, e Fe Ke Te Ee, f Ff Kf Tf Ef,
        g Fg Kg Tg Eg;
    Slots8: a Fa Ka Ta Ea, b Fb Kb Tb Eb, c Fc Kc Tc Ec, d Fd Kd Td Ed, e Fe Ke Te Ee, f Ff Kf Tf Ef,
        g Fg Kg Tg Eg, h Fh Kh Th Eh;
    Slots9: a Fa Ka Ta Ea, b Fb Kb Tb Eb, c Fc Kc Tc Ec, d Fd Kd Td Ed, e Fe Ke Te Ee, f Ff Kf Tf Ef,
        g Fg Kg Tg Eg, h Fh Kh Th Eh, i Fi Ki Ti Ei;
    Slots10: a Fa Ka Ta Ea, b Fb Kb Tb Eb, c Fc Kc Tc Ec, d Fd Kd Td Ed, e Fe Ke Te Ee, f Ff Kf Tf Ef,
        g Fg Kg Tg Eg, h Fh Kh Th Eh, i Fi Ki Ti Ei, j Fj Kj Tj Ej;
    Slots11: a Fa Ka Ta Ea, b Fb Kb Tb Eb, c Fc Kc Tc Ec, d Fd Kd Td Ed, e Fe Ke Te Ee, f Ff Kf Tf Ef,
        g Fg Kg Tg Eg, h Fh Kh Th Eh, i Fi Ki Ti Ei, j Fj Kj Tj Ej, k Fk Kk Tk Ek;
    Slots12: a Fa Ka Ta Ea, b Fb Kb Tb Eb, c Fc Kc Tc Ec, d Fd Kd Td Ed, e Fe Ke Te Ee, f Ff Kf Tf Ef,
        g Fg Kg Tg Eg, h Fh Kh Th Eh, i Fi Ki Ti Ei, j Fj Kj Tj Ej, k Fk Kk Tk Ek, l Fl Kl Tl El;
}
