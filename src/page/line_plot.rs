//! A plot of lines as SVG text.
//!
//! Lines are told apart by their dashes and the forms of their points as well as by colour, and each is named where it ends: a page has to be read in black and white too.
//! A point tells its value to whoever points at it, without a script. Many nights make a line longer, not the page slower: a line is one path, whatever its dashes.

use std::fmt::Write;

use super::blocks::Plot;

/// Two plots stand side by side on a page.
const WIDTH: f64 = 490.0;
const HEIGHT: f64 = 310.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 154.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 40.0;
/// Height of a line of text.
const TEXT: f64 = 14.0;
/// Characters of a name for which there is room beside its line.
const MOST_NAME: usize = 19;
/// Points of a line that bear a mark; of more points every n-th bears one.
const MOST_MARKS: usize = 16;
/// Colours of the first lines; dashes and marks repeat after other numbers, so that no two of twelve are alike.
const COLORS: [&str; 6] = ["#2554a0", "#be4628", "#0d7d70", "#7b3fa0", "#8a6d00", "#1f2937"];
const DASHES: [&str; 4] = ["", "7 3", "2 3", "9 3 2 3"];

/// One line: its name, and its points from left to right; `None` leaves a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it shows.
    pub name: String,
    /// Where it goes through.
    pub points: Vec<Option<(f64, f64)>>,
}

/// Lines over a common axis. Values are zero or more.
pub struct LinePlot<'a> {
    /// What they show.
    pub title: &'a str,
    /// File name of the SVG beside a Markdown document.
    pub file: &'a str,
    /// What stands below the horizontal axis; blank for dates.
    pub x_name: &'a str,
    /// How places on the horizontal axis are written.
    pub x_text: &'a dyn Fn(f64) -> String,
    /// What stands above the vertical axis, as a unit.
    pub y_name: &'a str,
    /// How values are written.
    pub y_text: &'a dyn Fn(f64) -> String,
    /// The lines.
    pub lines: Vec<Line>,
}

impl LinePlot<'_> {
    /// The plot; `None` where no line has a point.
    #[must_use]
    pub fn plot(&self) -> Option<Plot> {
        let points = || self.lines.iter().flat_map(|line| line.points.iter().flatten());
        points().next()?;
        let first = points().map(|(x, _)| *x).fold(f64::INFINITY, f64::min);
        let last = points().map(|(x, _)| *x).fold(f64::NEG_INFINITY, f64::max);
        let highest = points().map(|(_, y)| *y).fold(0.0, f64::max);
        let step = step_of(highest);
        let frame = Frame { first, last, top: step * (highest / step).ceil().max(1.0) };
        // Writing to a String cannot fail.
        let mut svg = String::new();
        let _ = self.draw(&mut svg, frame, step);
        Some(Plot { title: self.title.to_owned(), file: self.file.to_owned(), svg })
    }

    fn draw(&self, svg: &mut String, frame: Frame, step: f64) -> std::fmt::Result {
        let names: Vec<&str> = self.lines.iter().map(|line| line.name.as_str()).collect();
        write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" \
             aria-label=\"{}: {}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#1f2937\">",
            escaped(self.title),
            escaped(&names.join(", "))
        )?;
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for number in (0_u8..=10).take_while(|number| f64::from(*number) * step < frame.top + step / 2.0) {
            let value = f64::from(number) * step;
            let y = frame.y(value);
            write!(svg, "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#cbd5e1\"/>")?;
            text(svg, (LEFT - 6.0, y + 4.0), "end", &(self.y_text)(value))?;
        }
        text(svg, (LEFT - 6.0, TOP - 12.0), "end", self.y_name)?;
        let longest = (self.x_text)(frame.first).chars().count().max((self.x_text)(frame.last).chars().count());
        for x in frame.marked_places(longest) {
            let at = frame.x(x);
            write!(svg, "<path d=\"M{at:.1} {bottom}v5\" stroke=\"#1f2937\"/>")?;
            text(svg, (at, bottom + 18.0), "middle", &(self.x_text)(x))?;
        }
        text(svg, (f64::midpoint(LEFT, right), HEIGHT - 6.0), "middle", self.x_name)?;
        for (number, line) in self.lines.iter().enumerate() {
            self.draw_line(svg, frame, line, Style::of(number))?;
        }
        for (number, y) in name_places(frame, &self.lines) {
            let style = Style::of(number);
            let name = self.lines.get(number).map_or("", |line| line.name.as_str());
            let (from, to, middle) = (right + 8.0, right + 30.0, right + 19.0);
            write!(svg, "<path d=\"M{from} {y:.1}H{to}\" {}/>", style.stroke())?;
            style.mark(svg, (middle, y), None)?;
            text(svg, (to + 4.0, y + 4.0), "start", &shortened(name))?;
        }
        svg.push_str("</svg>");
        Ok(())
    }

    fn draw_line(&self, svg: &mut String, frame: Frame, line: &Line, style: Style) -> std::fmt::Result {
        let (mut path, mut is_drawn) = (String::new(), false);
        for point in &line.points {
            if let Some((x, y)) = point {
                let letter = if is_drawn { 'L' } else { 'M' };
                write!(path, "{letter}{:.1} {:.1}", frame.x(*x), frame.y(*y))?;
            }
            is_drawn = point.is_some();
        }
        write!(svg, "<path d=\"{path}\" {}/>", style.stroke())?;
        let known: Vec<(f64, f64)> = line.points.iter().flatten().copied().collect();
        let every = known.len().div_ceil(MOST_MARKS).max(1);
        // From the end on: the newest point always bears a mark.
        for (x, y) in known.into_iter().rev().step_by(every) {
            let told = format!("{}, {}: {}", line.name, (self.x_text)(x), (self.y_text)(y));
            style.mark(svg, (frame.x(x), frame.y(y)), Some(&told))?;
        }
        Ok(())
    }
}

/// What lies where.
#[derive(Debug, Clone, Copy)]
struct Frame {
    first: f64,
    last: f64,
    top: f64,
}

impl Frame {
    fn x(self, x: f64) -> f64 {
        let width = WIDTH - LEFT - RIGHT;
        if self.last > self.first {
            LEFT + (x - self.first) / (self.last - self.first) * width
        } else {
            LEFT + width / 2.0
        }
    }

    fn y(self, y: f64) -> f64 {
        let height = HEIGHT - TOP - BOTTOM;
        TOP + height - y / self.top * height
    }

    /// Whole places that are written below the axis, the last among them, as many as there is room for texts of so many characters.
    fn marked_places(self, characters: usize) -> Vec<f64> {
        let room = ((WIDTH - LEFT - RIGHT) / (characters as f64 * 7.0 + 14.0)).floor().clamp(1.0, 12.0);
        let every = ((self.last - self.first) / room).ceil().max(1.0);
        let mut place = self.last;
        let mut places = Vec::new();
        while place >= self.first {
            places.push(place);
            place -= every;
        }
        places
    }
}

/// How a line looks.
#[derive(Debug, Clone, Copy)]
struct Style {
    color: &'static str,
    dash: &'static str,
    mark: usize,
}

impl Style {
    fn of(number: usize) -> Self {
        let of = |all: &[&'static str]| all.get(number % all.len()).copied().unwrap_or_default();
        Self { color: of(&COLORS), dash: of(&DASHES), mark: number % 5 }
    }

    fn stroke(self) -> String {
        format!("fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-dasharray=\"{}\"", self.color, self.dash)
    }

    /// A dot, a square, a triangle, a diamond or an open dot.
    fn mark(self, svg: &mut String, (x, y): (f64, f64), told: Option<&str>) -> std::fmt::Result {
        let color = self.color;
        let shape = match self.mark {
            0 => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{color}\">"),
            1 => format!("<path d=\"M{x:.1} {y:.1}m-3.5 -3.5h7v7h-7z\" fill=\"{color}\">"),
            2 => format!("<path d=\"M{x:.1} {y:.1}m0 -4.5l4.5 8h-9z\" fill=\"{color}\">"),
            3 => format!("<path d=\"M{x:.1} {y:.1}m0 -5l5 5l-5 5l-5 -5z\" fill=\"{color}\">"),
            _ => format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"#fff\" stroke=\"{color}\" stroke-width=\"2\">"
            ),
        };
        let end = if matches!(self.mark, 0 | 4) { "</circle>" } else { "</path>" };
        svg.push_str(&shape);
        if let Some(told) = told {
            write!(svg, "<title>{}</title>", escaped(told))?;
        }
        svg.push_str(end);
        Ok(())
    }
}

/// Where the names stand: beside the ends of their lines, moved apart.
fn name_places(frame: Frame, lines: &[Line]) -> Vec<(usize, f64)> {
    let ends = lines.iter().enumerate().filter_map(|(number, line)| {
        let (_, y) = line.points.iter().flatten().next_back()?;
        Some((number, frame.y(*y)))
    });
    let mut places: Vec<(usize, f64)> = ends.collect();
    places.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let mut lowest = TOP - TEXT;
    for (_, y) in &mut places {
        *y = y.max(lowest + TEXT);
        lowest = *y;
    }
    // What was pushed below the frame is pushed back up.
    let mut highest = HEIGHT - BOTTOM + TEXT;
    for (_, y) in places.iter_mut().rev() {
        *y = y.min(highest - TEXT);
        highest = *y;
    }
    places
}

/// A step of 1, 2 or 5 times a power of ten, of which five or fewer reach a value.
fn step_of(highest: f64) -> f64 {
    if !(highest.is_finite() && highest > 0.0) {
        return 1.0;
    }
    let mut power = 1.0_f64;
    while power * 10.0 <= highest {
        power *= 10.0;
    }
    while power > highest {
        power /= 10.0;
    }
    [0.2, 0.5, 1.0].into_iter().map(|part| part * power).find(|step| step * 5.0 >= highest).unwrap_or(2.0 * power)
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) -> std::fmt::Result {
    write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escaped(text))
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= MOST_NAME {
        return name.to_owned();
    }
    name.chars().take(MOST_NAME - 1).chain(std::iter::once('…')).collect()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(lines: Vec<Line>) -> Option<String> {
        let number = |value: f64| format!("{value}");
        let plot = LinePlot {
            title: "t",
            file: "t.svg",
            x_name: "months",
            x_text: &number,
            y_name: "%",
            y_text: &number,
            lines,
        };
        plot.plot().map(|plot| plot.svg)
    }

    fn line(name: &str, points: &[Option<(f64, f64)>]) -> Line {
        Line { name: name.to_owned(), points: points.to_vec() }
    }

    #[test]
    fn a_gap_is_not_drawn_over_and_points_tell_their_value() {
        let drawn = svg(vec![line("a", &[Some((0.0, 1.0)), Some((1.0, 2.0)), None, Some((3.0, 5.0))])]).unwrap();
        let paths = drawn.split("<path d=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let drawn_lines: Vec<&str> = paths.filter(|path| path.contains('L')).collect();
        assert_eq!(drawn_lines.len(), 1, "{drawn_lines:?}");
        assert_eq!(drawn_lines[0].matches('M').count(), 2, "the second part begins anew: {drawn_lines:?}");
        assert!(drawn.contains("<title>a, 3: 5</title>"), "{drawn}");
        assert_eq!(svg(vec![line("a", &[None]), line("b", &[])]), None);
        assert!(svg(vec![line("a", &[Some((7.0, 0.0))])]).is_some(), "one night, and nothing owed");
    }

    #[test]
    fn names_that_come_from_data_stay_text() {
        let drawn = svg(vec![line("<script>\"&\n", &[Some((0.0, 1.0))])]).unwrap();
        assert!(drawn.contains("&lt;script&gt;&quot;&amp; ") && !drawn.contains("<script"), "{drawn}");
    }

    #[test]
    fn no_two_of_twelve_lines_look_alike_in_black_and_white_and_no_two_names_overlap() {
        let mut looks: Vec<(&str, usize)> = (0..12).map(|n| (Style::of(n).dash, Style::of(n).mark)).collect();
        looks.sort_unstable();
        looks.dedup();
        assert_eq!(looks.len(), 12);
        let lines: Vec<Line> = (0..12).map(|n| line("x", &[Some((0.0, 0.0)), Some((1.0, f64::from(n % 2)))])).collect();
        let places = name_places(Frame { first: 0.0, last: 1.0, top: 1.0 }, &lines);
        assert!(places.windows(2).all(|pair| pair[1].1 - pair[0].1 >= TEXT - 1e-9), "{places:?}");
        assert!(places.iter().all(|(_, y)| (TOP..=HEIGHT - BOTTOM).contains(y)), "{places:?}");
    }

    #[test]
    fn steps_are_round_and_few() {
        for (highest, step) in [(1.0, 0.2), (0.07, 0.02), (5.0, 1.0), (5.1, 2.0), (1_234.0, 500.0), (0.0, 1.0)] {
            assert!((step_of(highest) - step).abs() < 1e-9 * step, "{highest}: {}", step_of(highest));
        }
    }
}
