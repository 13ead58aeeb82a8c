//! The whole run in one picture: how long well-behaved users wait, with each attack marked.

use plotters::prelude::*;

use super::canvas::{Area, BARE, Failure, Ground, HARDENED, INK, RULE, SOFT, picture};
use super::lines::{Scale, TEXT, seconds};
use crate::chronicle::{Course, Moment};
use crate::report::Report;

/// A stretch of the run: the calm before it, or an attack.
struct Stretch<'a> {
    name: &'static str,
    course: &'a Course,
}

/// Both services one above the other, each over the time in which it was looked at; nothing where
/// there is a single attack, whose own picture says the same.
pub(in crate::report) fn voyage(report: &Report) -> String {
    let struck = report
        .entries
        .iter()
        .filter(|entry| entry.courses.hardened.end() > 0.0);
    if struck.clone().count() < 2 {
        return String::new();
    }
    let calm = |course| Stretch {
        name: "calm",
        course,
    };
    let mut bare = vec![calm(&report.calm.bare)];
    let mut hardened = vec![calm(&report.calm.hardened)];
    for entry in struck {
        let name = entry.name;
        let (b, h) = (&entry.courses.bare, &entry.courses.hardened);
        bare.push(Stretch { name, course: b });
        hardened.push(Stretch { name, course: h });
    }
    let users = hardened
        .iter()
        .flat_map(|stretch| stretch.course.moments())
        .any(|(_, moment)| moment.user.is_some());
    let who = if users {
        "well-behaved users"
    } else {
        "the load balancer's probe"
    };
    let wait = |moment: &Moment| if users { moment.user } else { moment.probe };
    let waits = |stretches: &[Stretch<'_>]| {
        let moments = stretches
            .iter()
            .flat_map(|stretch| stretch.course.moments())
            .filter_map(|(_, moment)| wait(moment));
        moments.max().unwrap_or_default().as_secs_f64() * 1000.0
    };
    let most = waits(&bare).max(waits(&hardened));
    let ground = Ground {
        id: "voyage".to_owned(),
        title: format!("How long {who} wait, attack by attack"),
        about: format!(
            "The longest wait of {who} over the time in which a service was attacked, on a \
             logarithmic scale, each attack marked with its name; above of the bare service, below \
             of the hardened one."
        ),
    };
    picture(&ground, (1040, 560), |area| {
        let (above, below) = area.split_vertically(280);
        draw(&above, "bare: longest wait (ms)", BARE, &bare, most, &wait)?;
        let unit = "hardened: longest wait (ms)";
        draw(&below, unit, HARDENED, &hardened, most, &wait)
    })
}

fn draw(
    area: &Area<'_>,
    unit: &str,
    colour: RGBColor,
    stretches: &[Stretch<'_>],
    most: f64,
    wait: &dyn Fn(&Moment) -> Option<std::time::Duration>,
) -> Result<(), Failure> {
    let scale = Scale::Milliseconds;
    let end: f64 = stretches.iter().map(|stretch| stretch.course.end()).sum();
    let axis = scale.axis(most);
    // Room for the names above the lines.
    let top = axis.end + 1.6;
    let mut chart = ChartBuilder::on(area)
        .margin(6)
        .x_label_area_size(38)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end.max(1.0), axis.start..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RULE)
        .axis_style(SOFT)
        .label_style(TEXT.into_font().color(&INK))
        .axis_desc_style(TEXT.into_font().color(&SOFT))
        .x_desc("time under attack (s)")
        .y_desc(unit)
        .y_labels(8)
        .x_label_formatter(&|time| seconds(*time))
        .y_label_formatter(&|height| {
            if *height > axis.end + 0.01 {
                String::new()
            } else {
                scale.label(*height)
            }
        })
        .draw()?;

    let mut start = 0.0;
    let mut points = Vec::new();
    for (number, stretch) in stretches.iter().enumerate() {
        let stop = start + stretch.course.end();
        if number % 2 == 1 {
            let band = [(start, axis.start), (stop, top)];
            chart.draw_series([Rectangle::new(band, SOFT.mix(0.12).filled())])?;
        }
        let upright = ("sans-serif", 13)
            .into_font()
            .transform(FontTransform::Rotate90)
            .color(&INK);
        let middle = (start + stop) / 2.0;
        chart.draw_series([Text::new(stretch.name, (middle, top - 0.05), upright)])?;
        let waits = stretch.course.moments().filter_map(|(end, moment)| {
            let wait = wait(moment)?.as_secs_f64() * 1000.0;
            Some((start + end, scale.height(wait)))
        });
        points.extend(waits);
        start = stop;
    }
    chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
    Ok(())
}
