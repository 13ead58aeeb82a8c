//! The view of a request's head that every adapter offers.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::ControlFlow;

/// Shows the head of a request to code that knows no framework.
///
/// This is the one trait an adapter implements. It is dyn-compatible, so that shared code takes
/// `&dyn RequestHead` and is compiled once, whatever the framework. Nothing here allocates unless
/// a path parameter has to be percent-decoded.
///
/// Header names are passed in lower case. Header values are bytes: a value that is not UTF-8 is
/// for the caller to refuse, not for the adapter to hide.
pub trait RequestHead {
    /// The method, as sent: `GET`, `POST`.
    fn method(&self) -> &str;

    /// The path, percent-encoded as sent, without the query.
    fn path(&self) -> &str;

    /// The query without its question mark, if there is one.
    fn query(&self) -> Option<&str>;

    /// `http` or `https`, where the framework knows it.
    fn scheme(&self) -> Option<&str>;

    /// The authority asked for: the `:authority` of HTTP/2, or the one `Host` of HTTP/1.
    fn authority(&self) -> Option<&str>;

    /// The first value of a header.
    fn header(&self, name: &str) -> Option<&[u8]>;

    /// Visits each line of a header in the order received, until the visitor breaks.
    ///
    /// A visitor, since a method that returns an iterator would not be dyn-compatible.
    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>);

    /// The address at the other end of the connection, where the server recorded it.
    fn peer(&self) -> Option<IpAddr>;

    /// The template of the matched route, such as `/api/users/{user_id}`.
    fn route(&self) -> Option<&str>;

    /// A parameter of the matched route, percent-decoded.
    fn path_param(&self, name: &str) -> Option<Cow<'_, str>>;

    /// Who the caller was authenticated as, once the user's own middleware has decided that.
    fn principal(&self) -> Option<&str>;
}
