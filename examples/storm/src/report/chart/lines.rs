//! Lines over the time of an attack.

use plotters::prelude::*;

use super::canvas::{Area, Failure, Ground, INK, RULE, SOFT, picture};

/// One line.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) colour: RGBColor,
    /// Seconds and whatever the scale is of, in order.
    pub(super) points: Vec<(f64, f64)>,
}

/// What the height means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// By powers of ten, since a bare service waits a thousand times as long as a hardened one.
    Milliseconds,
    Mebibytes,
    /// Closed below, open above.
    Circuit,
}

impl Scale {
    /// Where a value is on the axis.
    pub(super) fn height(self, value: f64) -> f64 {
        match self {
            Self::Milliseconds => value.max(LEAST).log10(),
            Self::Mebibytes | Self::Circuit => value,
        }
    }

    /// The axis for values up to this.
    pub(super) fn axis(self, most: f64) -> std::ops::Range<f64> {
        match self {
            Self::Milliseconds => LEAST.log10()..most.max(10.0).log10().ceil(),
            Self::Mebibytes => 0.0..(most * 1.15).max(16.0),
            Self::Circuit => -0.25..1.25,
        }
    }

    pub(super) fn label(self, height: f64) -> String {
        match self {
            Self::Milliseconds if (height - height.round()).abs() > 0.01 => String::new(),
            Self::Milliseconds if height < -0.5 => "0.1".to_owned(),
            Self::Milliseconds => format!("{:.0}", 10_f64.powf(height)),
            Self::Mebibytes => format!("{height:.0}"),
            Self::Circuit if (height - 0.0).abs() < 0.01 => "closed".to_owned(),
            Self::Circuit if (height - 1.0).abs() < 0.01 => "open".to_owned(),
            Self::Circuit => String::new(),
        }
    }
}

const LEAST: f64 = 0.1;

/// The room that a legend has at the right of the lines, where it hides none of them.
pub(super) const LEGEND: u32 = 92;

/// Where the legend begins, as seen from the upper left of what it explains.
pub(super) fn beside(area: &Area<'_>) -> SeriesLabelPosition {
    let (width, _) = area.dim_in_pixel();
    let plotted = width.saturating_sub(64 + 6 + LEGEND);
    SeriesLabelPosition::Coordinate(i32::try_from(plotted).unwrap_or(0) + 2, 0)
}

pub(super) const TEXT: (&str, u32) = ("sans-serif", 13);

/// Draws them.
pub(super) fn lines(ground: &Ground, unit: &str, scale: Scale, lines: &[Line]) -> String {
    let height = if scale == Scale::Circuit { 130 } else { 210 };
    picture(ground, (520, height), |area| draw(area, unit, scale, lines))
}

fn draw(area: &Area<'_>, unit: &str, scale: Scale, lines: &[Line]) -> Result<(), Failure> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let most = points().map(|(_, value)| *value).fold(0.0, f64::max);
    let end = points().map(|(time, _)| *time).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .margin(6)
        .margin_right(LEGEND)
        .x_label_area_size(38)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end, scale.axis(most))?;
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
        .y_labels(6)
        .x_label_formatter(&|time| seconds(*time))
        .y_label_formatter(&|height| scale.label(*height))
        .draw()?;
    for line in lines {
        let colour = line.colour;
        let points = line
            .points
            .iter()
            .map(|(time, value)| (*time, scale.height(*value)));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(beside(area))
        .label_font(TEXT.into_font().color(&INK))
        .draw()?;
    Ok(())
}

/// A label of a time axis: "2", "2.5".
pub(super) fn seconds(time: f64) -> String {
    let text = format!("{time:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_labelled_at_powers_of_ten_alone() {
        let scale = Scale::Milliseconds;
        assert_eq!(scale.label(scale.height(0.0)), "0.1");
        assert_eq!(scale.label(scale.height(1000.0)), "1000");
        assert_eq!(scale.label(2.5), "");
        assert_eq!(scale.axis(3000.0), -1.0..4.0);
        assert_eq!((seconds(2.0), seconds(2.5)), ("2".into(), "2.5".into()));
    }
}
