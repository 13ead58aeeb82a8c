//! The attribute of a type.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, Result, Token, WherePredicate};

use crate::attr::{self, Item};
use crate::text::{code_expr, custom_code};

pub(crate) struct Container {
    /// The path of the library.
    pub(crate) krate: TokenStream,
    pub(crate) closed: bool,
    pub(crate) deserialize: bool,
    pub(crate) transparent: bool,
    pub(crate) bound: Option<Vec<WherePredicate>>,
    /// Statements over `self` and `cx`, run once every field is sound.
    pub(crate) checks: Vec<TokenStream>,
}

const WORDS: [&str; 9] = [
    "allow_unknown",
    "deny_unknown",
    "no_deserialize",
    "transparent",
    "bound",
    "crate",
    "check",
    "at_least_one_of",
    "exactly_one_of",
];

impl Container {
    pub(crate) fn parse(attrs: &[Attribute]) -> Result<Self> {
        let mut out = Self {
            krate: quote!(::seawall_validate),
            closed: true,
            deserialize: true,
            transparent: false,
            bound: None,
            checks: Vec::new(),
        };
        for item in attr::items(attrs, "validate")? {
            out.take(&item)?;
        }
        Ok(out)
    }

    fn take(&mut self, item: &Item) -> Result<()> {
        let word = item.name.to_string();
        match word.as_str() {
            "allow_unknown" => {
                item.bare()?;
                self.closed = false;
            }
            "deny_unknown" => item.bare()?,
            "no_deserialize" => {
                item.bare()?;
                self.deserialize = false;
            }
            "transparent" => {
                item.bare()?;
                self.transparent = true;
            }
            "bound" => {
                let text = item.text("bound = \"T: Validate<'de>\"")?;
                let list = Punctuated::<WherePredicate, Token![,]>::parse_terminated;
                let list = syn::parse::Parser::parse_str(list, &text)
                    .map_err(|error| item.error(error))?;
                self.bound = Some(list.into_iter().collect());
            }
            "crate" => {
                let path = item.path("crate = path::to::seawall_validate")?;
                self.krate = quote!(#path);
            }
            "check" => self.checks.push(check(item)?),
            "at_least_one_of" => {
                let fields = names(item, "at_least_one_of(phone, email)")?;
                let first = &fields[0];
                let wire = first.to_string();
                self.checks.push(quote! {
                    if #(self.#fields.is_none())&&* {
                        cx.report(__v::Violation::new(__v::Code::REQUIRED).at_field(#wire));
                    }
                });
            }
            "exactly_one_of" => {
                let fields = names(item, "exactly_one_of(phone, email)")?;
                let first = fields[0].to_string();
                let others: Vec<_> = fields.iter().map(ToString::to_string).collect();
                self.checks.push(quote! {
                    {
                        let mut given: ::core::option::Option<&'static str> = ::core::option::Option::None;
                        #(if self.#fields.is_some() {
                            if let ::core::option::Option::Some(given) = given {
                                cx.report(
                                    __v::Violation::new(__v::Code::EXCLUSIVE)
                                        .param("field", given)
                                        .at_field(#others),
                                );
                            } else {
                                given = ::core::option::Option::Some(#others);
                            }
                        })*
                        if given.is_none() {
                            cx.report(__v::Violation::new(__v::Code::REQUIRED).at_field(#first));
                        }
                    }
                });
            }
            other => {
                let message = match attr::closest(other, WORDS) {
                    Some(known) => {
                        format!("there is no option `{other}` for a type; write `{known}`")
                    }
                    None => format!(
                        "there is no option `{other}` for a type; rules stand at the fields, and \
                         here stand `check(..)`, `allow_unknown`, `no_deserialize` and the like"
                    ),
                };
                return Err(item.error(message));
            }
        }
        Ok(())
    }
}

fn names(item: &Item, usage: &str) -> Result<Vec<Ident>> {
    let items = item
        .items()
        .map_err(|_| item.error(format!("write `{usage}`")))?;
    if items.len() < 2 {
        return Err(item.error(format!("name two fields or more: `{usage}`")));
    }
    Ok(items.into_iter().map(|item| item.name).collect())
}

/// `check(end > start, code = "range_inverted", message = "..", field = "end")`
fn check(item: &Item) -> Result<TokenStream> {
    struct Args {
        condition: Expr,
        options: Vec<Item>,
    }
    impl syn::parse::Parse for Args {
        fn parse(input: syn::parse::ParseStream<'_>) -> Result<Self> {
            let condition = input.parse()?;
            let mut options = Vec::new();
            while !input.is_empty() {
                input.parse::<Token![,]>()?;
                if !input.is_empty() {
                    options.push(input.parse()?);
                }
            }
            Ok(Self { condition, options })
        }
    }
    let usage = "check(self.end > self.start, code = \"range_inverted\", field = \"end\")";
    let args: Args = item.arg(usage)?;
    if matches!(args.condition, Expr::Assign(_)) {
        return Err(item.error(format!("the condition comes first: `{usage}`")));
    }
    let (mut id, mut message, mut field) = (None, None, None);
    for option in args.options {
        match option.name.to_string().as_str() {
            "code" => id = Some(code_expr(&option)?),
            "message" => message = Some(option.expr("message = \"must ..\"")?),
            "field" => field = Some(option.text("field = \"name\"")?),
            other => {
                return Err(option.error(format!(
                    "`check` has no option `{other}`; it has `code`, `message` and `field`"
                )));
            }
        }
    }
    let code = custom_code(&quote!(__v::Code::CHECK), id, message);
    let place = field.map(|field| quote!(.at_field(#field)));
    let condition = attr::over_self(&args.condition);
    Ok(quote! {
        if !(#condition) {
            cx.report(__v::Violation::new(#code) #place);
        }
    })
}
