//! From values to their one canonical text.

use super::{Bare, InnerList, Item, Member, Parameters};

pub(in super::super) fn write_bare(bare: &Bare, out: &mut String) {
    match bare {
        Bare::Integer(number) => out.push_str(&number.to_string()),
        Bare::Date(number) => out.push_str(&format!("@{number}")),
        Bare::Decimal(thousandths) => {
            let (whole, part) = (
                thousandths.unsigned_abs() / 1000,
                thousandths.unsigned_abs() % 1000,
            );
            let part = format!("{part:03}");
            let part = match part.trim_end_matches('0') {
                "" => "0",
                part => part,
            };
            let minus = if *thousandths < 0 { "-" } else { "" };
            out.push_str(&format!("{minus}{whole}.{part}"));
        }
        Bare::String(text) => write_string(text, out),
        Bare::Token(token) => out.push_str(token),
        Bare::Bytes(bytes) => {
            out.push(':');
            crate::encoding::push_base64(bytes, out);
            out.push(':');
        }
        Bare::Boolean(yes) => out.push_str(if *yes { "?1" } else { "?0" }),
        Bare::Display(text) => {
            out.push_str("%\"");
            for byte in text.bytes() {
                match byte {
                    b'%' | b'"' | 0..=0x1f | 0x7f..=0xff => out.push_str(&format!("%{byte:02x}")),
                    byte => out.push(char::from(byte)),
                }
            }
            out.push('"');
        }
    }
}

pub(in super::super) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
}

pub(in super::super) fn write_parameters(parameters: &Parameters, out: &mut String) {
    for (key, bare) in parameters {
        out.push(';');
        out.push_str(key);
        if *bare != Bare::Boolean(true) {
            out.push('=');
            write_bare(bare, out);
        }
    }
}

pub(in super::super) fn write_item(item: &Item, out: &mut String) {
    write_bare(&item.bare, out);
    write_parameters(&item.parameters, out);
}

pub(in super::super) fn write_inner(inner: &InnerList, out: &mut String) {
    out.push('(');
    for (at, item) in inner.items.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        write_item(item, out);
    }
    out.push(')');
    write_parameters(&inner.parameters, out);
}

pub(in super::super) fn write_member(member: &Member, out: &mut String) {
    match member {
        Member::Item(item) => write_item(item, out),
        Member::Inner(inner) => write_inner(inner, out),
    }
}
