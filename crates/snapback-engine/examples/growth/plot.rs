//! Curves on two logarithmic axes, as SVG.

use crate::Curve;
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

const COLOURS: [RGBColor; 6] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(255, 127, 14),
    RGBColor(148, 103, 189),
    RGBColor(90, 90, 90),
];

/// Draws curves of microseconds over a size. Where the bound refused a size, the curve ends in a
/// cross, and the legend tells the size.
pub fn draw(file: &Path, title: &str, axis: &str, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let extent = |of: fn(&(f64, f64)) -> f64| {
        let values = points().map(of);
        values.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        })
    };
    let ((left, right), (bottom, top)) = (extent(|point| point.0), extent(|point| point.1));
    // The legend stands above the highest point: about a quarter of the figure.
    let room = (top / bottom).powf(0.36) * 2.0;
    let root = SVGBackend::new(file, (900, 560)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(
            (left..right * 1.1).log_scale(),
            (bottom / 2.0..top * room).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc(axis)
        .y_desc("microseconds, best of several runs")
        .x_label_formatter(&thousands)
        .y_label_formatter(&thousands)
        .light_line_style(RGBColor(240, 240, 240))
        .draw()?;
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        let colour = *colour;
        let name = match curve.refused {
            Some(size) => format!("{} (ends: {size} {axis} are over the bound)", curve.name),
            None => curve.name.clone(),
        };
        chart
            .draw_series(LineSeries::new(
                curve.points.iter().copied(),
                colour.stroke_width(2),
            ))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        let last = curve.points.last().filter(|_| curve.refused.is_some());
        chart.draw_series(last.map(|point| Cross::new(*point, 5, colour.stroke_width(2))))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    root.present()?;
    Ok(())
}

/// `10 000`; below one as it is.
fn thousands(value: &f64) -> String {
    let digits = format!("{value}");
    if digits.contains('.') {
        return digits;
    }
    let mut told = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            told.push(' ');
        }
        told.push(digit);
    }
    told
}
