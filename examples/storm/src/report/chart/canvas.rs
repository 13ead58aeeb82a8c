//! What all pictures share: a drawing area that becomes part of the page, and the colours.
//!
//! The drawing library writes numbers for colours. Each colour here is a number that stands for a
//! variable of the style sheet, so that a picture follows the reader's scheme without being redrawn.

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoDrawingArea, RGBColor, SVGBackend};

use super::super::html::escaped;

pub(super) const INK: RGBColor = RGBColor(1, 0, 0);
pub(super) const SOFT: RGBColor = RGBColor(1, 0, 1);
pub(super) const RULE: RGBColor = RGBColor(1, 0, 2);
pub(super) const BARE: RGBColor = RGBColor(1, 0, 3);
pub(super) const HARDENED: RGBColor = RGBColor(1, 0, 4);
pub(super) const SERVED: RGBColor = RGBColor(1, 0, 6);
pub(super) const REFUSED: RGBColor = RGBColor(1, 0, 7);
pub(super) const FAILED: RGBColor = RGBColor(1, 0, 8);
pub(super) const NONE: RGBColor = RGBColor(1, 0, 9);

const VARIABLES: [(RGBColor, &str); 9] = [
    (INK, "ink"),
    (SOFT, "soft"),
    (RULE, "line"),
    (BARE, "bare"),
    (HARDENED, "hardened"),
    (SERVED, "served"),
    (REFUSED, "refused"),
    (FAILED, "failed"),
    (NONE, "none"),
];

/// What a picture is called, and what it says to those who do not see it.
pub(super) struct Ground {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) about: String,
}

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Why a picture could not be drawn.
pub(super) type Failure = Box<dyn std::error::Error>;

/// A picture of a size, with whatever is painted on it.
///
/// # Panics
///
/// When the picture does not fit its own size, which no data decide.
pub(super) fn picture(
    ground: &Ground,
    size: (u32, u32),
    paint: impl FnOnce(&Area<'_>) -> Result<(), Failure>,
) -> String {
    let mut drawn = String::new();
    {
        let area = SVGBackend::with_string(&mut drawn, size).into_drawing_area();
        paint(&area).expect("a text takes every drawing");
        area.present().expect("a text takes every drawing");
    }
    for (RGBColor(r, g, b), variable) in VARIABLES {
        let number = format!("\"#{r:02X}{g:02X}{b:02X}\"");
        drawn = drawn.replace(&number, &format!("\"var(--{variable})\""));
    }
    // The opening tag has a size in pixels and a name space; a part of a page needs neither.
    let inside = drawn.split_once('>').map_or("", |(_, inside)| inside);
    let Ground { id, title, about } = ground;
    let (width, height) = size;
    format!(
        "<figure><figcaption>{}</figcaption>\n<svg class=\"chart\" id=\"{id}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\">\n<title id=\"{id}-title\">{}</title>\n\
         <desc id=\"{id}-desc\">{}</desc>{inside}</figure>\n",
        escaped(title),
        escaped(title),
        escaped(about),
    )
}
