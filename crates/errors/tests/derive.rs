//! `derive(ApiError)` as a user writes it.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::{error::Error, fmt, time::Duration};

use seawall_errors::{ApiError, IntoApiError, RenderContext, Renderer, codes};

seawall_errors::error_codes! {
    /// Nothing left to sell.
    pub OUT_OF_STOCK = 409, "out_of_stock", "The item is out of stock";
}

#[derive(Debug, ApiError)]
enum Inner {
    #[api(code = codes::FORBIDDEN)]
    NotYours,
}

#[derive(Debug, ApiError)]
enum Checkout {
    #[api(code = OUT_OF_STOCK)]
    OutOfStock {
        #[api(public)]
        sku: String,
        #[api(public = "items_left")]
        left: Option<u32>,
        warehouse: String,
    },
    #[api(code = codes::CONFLICT, message = "The cart is closed", not_executed)]
    Closed,
    #[api(code = codes::SERVICE_UNAVAILABLE, retry_after = 30)]
    Busy(String),
    #[api(code = codes::RATE_LIMITED)]
    Slow(#[api(retry_after)] Duration, #[api(public = "limit")] u64),
    #[api(code = codes::RATE_LIMITED)]
    MaybeSlow {
        #[api(retry_after)]
        wait: Option<Duration>,
    },
    #[api(transparent)]
    Inner(Inner),
    #[api(transparent)]
    Named { inner: Inner },
    #[api(internal)]
    Database(std::io::Error),
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not yours")
    }
}

impl fmt::Display for Checkout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfStock { warehouse, .. } => write!(f, "nothing in {warehouse}"),
            Self::Busy(why) => write!(f, "busy: {why}"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl Error for Inner {}

impl Error for Checkout {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Database(cause) => Some(cause),
            _ => None,
        }
    }
}

#[test]
fn a_variant_has_its_code_and_its_public_fields() {
    let error = Checkout::OutOfStock {
        sku: "A-1".into(),
        left: Some(0),
        warehouse: "Ghent".into(),
    }
    .into_api_error();
    assert_eq!(error.code(), OUT_OF_STOCK);
    assert_eq!(error.public_message(), "The item is out of stock");
    assert!(
        error
            .public_meta()
            .eq([("sku", &"A-1".into()), ("items_left", &0.into())])
    );
    assert_eq!(error.private().report(), "nothing in Ghent");
}

#[test]
fn what_is_not_marked_stays_private() {
    let error = Checkout::OutOfStock {
        sku: "A-1".into(),
        left: None,
        warehouse: "Ghent".into(),
    }
    .into_api_error();
    let accept = &b"application/problem+json"[..];
    let body = Renderer::new()
        .render(&error, &RenderContext::new().accept(accept))
        .body;
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains("A-1") && !body.contains("Ghent"), "{body}");
}

#[test]
fn messages_waits_and_execution_are_as_said() {
    let closed = Checkout::Closed.into_api_error();
    assert_eq!(closed.public_message(), "The cart is closed");
    assert!(!closed.was_executed());

    let busy = Checkout::Busy("pool".into()).into_api_error();
    assert_eq!(busy.retry_delay(), Some(Duration::from_secs(30)));
    assert!(busy.was_executed());

    let slow = Checkout::Slow(Duration::from_millis(1500), 10).into_api_error();
    assert_eq!(slow.retry_delay(), Some(Duration::from_millis(1500)));
    assert!(slow.public_meta().eq([("limit", &10.into())]));

    let wait = |wait| Checkout::MaybeSlow { wait }.into_api_error().retry_delay();
    assert_eq!(wait(None), None);
    assert_eq!(wait(Some(Duration::ZERO)), Some(Duration::ZERO));
}

#[test]
fn transparent_variants_look_like_what_they_hold() {
    for error in [
        Checkout::Inner(Inner::NotYours),
        Checkout::Named {
            inner: Inner::NotYours,
        },
    ] {
        let error = error.into_api_error();
        assert_eq!(error.code(), codes::FORBIDDEN);
        assert_eq!(error.private().report(), "not yours");
    }
}

#[test]
fn internal_variants_report_their_whole_chain() {
    let error = Checkout::Database(std::io::Error::other("refused")).into_api_error();
    assert_eq!(error.code(), codes::INTERNAL_ERROR);
    assert_eq!(
        error.private().report(),
        "Database(Custom { kind: Other, error: \"refused\" }) <- refused"
    );
}

#[test]
fn the_question_mark_converts() {
    fn run() -> Result<(), ApiError> {
        Err(Checkout::Closed)?;
        Ok(())
    }
    assert_eq!(run().unwrap_err().code(), codes::CONFLICT);
}

mod defaults {
    use super::*;

    #[derive(Debug, ApiError)]
    #[api(internal)]
    enum Storage {
        Lost,
        #[api(code = codes::CONFLICT)]
        Locked,
        #[api(message = "Not shown, since the code is internal")]
        Torn,
    }

    impl fmt::Display for Storage {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{self:?}")
        }
    }
    impl Error for Storage {}

    #[test]
    fn a_variant_that_says_nothing_is_as_the_enum_says() {
        assert_eq!(Storage::Lost.into_api_error().code(), codes::INTERNAL_ERROR);
        assert_eq!(Storage::Locked.into_api_error().code(), codes::CONFLICT);
        let torn = Storage::Torn.into_api_error();
        assert_eq!(torn.code(), codes::INTERNAL_ERROR);
        assert_eq!(torn.public_message(), "Internal server error");
    }
}

mod shapes {
    use super::*;
    use ::seawall_errors as renamed;

    /// A generic struct, another crate path, a raw identifier.
    #[derive(Debug, ApiError)]
    #[api(crate = renamed, code = codes::NOT_FOUND, message = "No such thing")]
    struct Missing<T>
    where
        T: fmt::Debug + Send + Sync + 'static,
    {
        #[api(public)]
        r#where: u8,
        what: T,
    }

    impl<T: fmt::Debug + Send + Sync + 'static> fmt::Display for Missing<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:?} is missing", self.what)
        }
    }
    impl<T: fmt::Debug + Send + Sync + 'static> Error for Missing<T> {}

    #[derive(Debug, ApiError)]
    #[api(transparent)]
    struct Wrapper(Inner);

    #[derive(Debug, ApiError)]
    enum Never {}

    impl fmt::Display for Never {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            match *self {}
        }
    }
    impl Error for Never {}

    #[test]
    fn structs_generics_and_empty_enums_derive() {
        let error = Missing {
            r#where: 7,
            what: "lamp",
        }
        .into_api_error();
        assert_eq!(error.public_message(), "No such thing");
        assert!(error.public_meta().eq([("where", &7.into())]));
        assert_eq!(error.private().report(), "\"lamp\" is missing");
        assert_eq!(
            Wrapper(Inner::NotYours).into_api_error().code(),
            codes::FORBIDDEN
        );
        let never: Option<Never> = None;
        assert!(never.map(IntoApiError::into_api_error).is_none());
    }
}
