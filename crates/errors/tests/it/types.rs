//! What the types are, and above all what they are not.

use std::{error::Error, fmt::Display, mem::size_of, ops::Deref};

use seawall_errors::{
    ApiError, Detail, ErrorCode, Format, FormatPolicy, Internal, Private, PublicError, PublicText,
    RenderContext, Rendered, Renderer, RequestId, codes,
    trace::{TraceContext, TraceParent, TraceState},
    wire::{ErrorBody, Problem, SimpleError},
};
use serde::Serialize;
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_not_impl_any!(ApiError: Serialize, Clone, Deref);
assert_not_impl_any!(Detail: Serialize);
assert_not_impl_any!(Private: Serialize, Display, Deref, AsRef<str>, Error);
assert_not_impl_any!(PublicText: From<String>, From<&'static String>);
assert_not_impl_any!(Internal<std::io::Error>: Display, Error, Serialize);
// No `From` for every error: each is a decision.
assert_not_impl_any!(ApiError: From<std::io::Error>, From<std::fmt::Error>, From<String>);

assert_impl_all!(ApiError: Send, Sync, Error);
assert_impl_all!(Private: Send, Sync);
assert_impl_all!(ErrorCode: Send, Sync, Copy);
assert_impl_all!(Detail: Send, Sync, Clone);
assert_impl_all!(PublicText: Send, Sync, Clone);
assert_impl_all!(PublicError: Send, Sync, Clone, Serialize);
assert_impl_all!(Renderer: Send, Sync, Clone, Default);
assert_impl_all!(Rendered: Send, Sync, Clone);
assert_impl_all!(Format: Send, Sync, Copy);
assert_impl_all!(FormatPolicy: Send, Sync, Copy);
assert_impl_all!(RenderContext<'static>: Send, Sync, Copy);
assert_impl_all!(RequestId: Send, Sync, Clone);
assert_impl_all!(TraceContext: Send, Sync, Clone);
assert_impl_all!(TraceParent: Send, Sync, Copy);
assert_impl_all!(TraceState: Send, Sync, Clone);
assert_impl_all!(ErrorBody: Send, Sync, Clone);
assert_impl_all!(Problem: Send, Sync, Clone);
assert_impl_all!(SimpleError: Send, Sync, Clone);

#[test]
fn an_error_is_one_pointer_wide() {
    assert_eq!(size_of::<ApiError>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), ApiError>>(), size_of::<usize>());
}

#[test]
fn an_error_hides_its_source_from_generic_printers() {
    let error = ApiError::new(codes::CONFLICT).source("secret");
    let error: &dyn Error = &error;
    assert!(error.source().is_none());
}
