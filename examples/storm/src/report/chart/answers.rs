//! What the attackers were answered, by class and time.

use plotters::prelude::*;

use super::canvas::{
    Area, FAILED, Failure, Ground, INK, NONE, REFUSED, RULE, SERVED, SOFT, picture,
};
use super::lines::{LEGEND, TEXT, beside, seconds};
use crate::chronicle::{Course, Kind, Moment};

/// Bars of answers a second, a row for each course with its unit; nothing where no attacker asked for
/// anything.
pub(super) fn answers(ground: &Ground, rows: &[(&str, &Course)]) -> String {
    let courses = || rows.iter().map(|(_, course)| *course);
    let most = courses().flat_map(rates).flatten().fold(0.0, f64::max);
    if most == 0.0 {
        return String::new();
    }
    let end = courses().map(Course::end).fold(1.0, f64::max);
    let height = 170 * u32::try_from(rows.len()).unwrap_or(1);
    picture(ground, (520, height), |area| {
        let areas = area.split_evenly((rows.len(), 1));
        for (area, (unit, course)) in areas.iter().zip(rows) {
            draw(area, unit, course, (end, most))?;
        }
        Ok(())
    })
}

/// Answers a second up to and with each class, so that they can be drawn one upon the other.
fn rates(course: &Course) -> impl Iterator<Item = [f64; Kind::ALL.len()]> {
    let width = course.width().as_secs_f64();
    course.moments().map(move |(_, moment)| sums(moment, width))
}

fn sums(moment: &Moment, width: f64) -> [f64; Kind::ALL.len()] {
    let mut sum = 0.0;
    moment.answers.map(|count| {
        sum += f64::from(count) / width;
        sum
    })
}

fn draw(area: &Area<'_>, unit: &str, course: &Course, most: (f64, f64)) -> Result<(), Failure> {
    let (end, rate) = most;
    let mut chart = ChartBuilder::on(area)
        .margin(6)
        .margin_right(LEGEND)
        .x_label_area_size(38)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end, 0.0..rate * 1.1)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RULE)
        .axis_style(SOFT)
        .label_style(TEXT.into_font().color(&INK))
        .axis_desc_style(TEXT.into_font().color(&SOFT))
        .x_desc("time (s)")
        .y_desc(unit)
        .x_labels(8)
        .y_labels(4)
        .x_label_formatter(&|time| seconds(*time))
        .y_label_formatter(&|rate| format!("{rate:.0}"))
        .draw()?;
    let width = course.width().as_secs_f64();
    for (place, kind) in Kind::ALL.into_iter().enumerate() {
        let colour = colour(kind);
        let bars = course.moments().filter_map(|(end, moment)| {
            let sums = sums(moment, width);
            let from = place.checked_sub(1).map_or(0.0, |below| sums[below]);
            let bar = [(end - width, from), (end, sums[place])];
            (moment.answers[place] > 0).then(|| Rectangle::new(bar, colour.filled()))
        });
        chart
            .draw_series(bars)?
            .label(kind.name())
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(beside(area))
        .label_font(TEXT.into_font().color(&INK))
        .draw()?;
    Ok(())
}

const fn colour(kind: Kind) -> RGBColor {
    match kind {
        Kind::Served => SERVED,
        Kind::Refused => REFUSED,
        Kind::Failed => FAILED,
        Kind::None => NONE,
    }
}
