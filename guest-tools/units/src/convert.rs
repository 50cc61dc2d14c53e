//! From an amount to another unit.

use tomas_english::num_traits::{Signed, Zero};
use tomas_english::{Rational, ratio};

use crate::catalogue::Catalogue;
use crate::dimension::Dimension;
use crate::measure::Measure;
use crate::problem::Problem;
use crate::quantity::{Piece, Quantity};
use crate::target::Target;

/// An amount in one or more units that share it.
#[derive(Debug, Clone)]
pub(crate) struct Converted {
    /// The amount as it was understood.
    pub(crate) from: Vec<(Rational, Measure)>,
    /// The result; several parts for feet and inches.
    pub(crate) to: Vec<(Rational, Measure)>,
    /// Whether a density or another rough figure came in.
    pub(crate) rough: bool,
}

/// Converts `quantity` to `target`.
pub(crate) fn convert(quantity: &Quantity, target: &Target, catalogue: &Catalogue) -> Result<Converted, Problem> {
    match target {
        Target::Unit(readings) => to_unit(quantity, readings),
        Target::Mixed(units) => to_mixed(quantity, units),
        Target::Metric => to_unit(quantity, &suitable(quantity, true, catalogue)?),
        Target::Imperial => to_unit(quantity, &suitable(quantity, false, catalogue)?),
    }
}

fn to_unit(quantity: &Quantity, readings: &[Measure]) -> Result<Converted, Problem> {
    for target in readings {
        if let Some(from) = choose(&quantity.pieces, target, |unit| unit.dimension == target.dimension) {
            let base = total(&from);
            let rough = target.rough || from.iter().any(|(_, unit)| unit.rough);
            return Ok(Converted { to: vec![(target.amount(&base), target.clone())], from, rough });
        }
    }
    for target in readings {
        if let Some(from) = choose(&quantity.pieces, target, |unit| unit.dimension.reciprocal_of(target.dimension)) {
            let base = total(&from);
            if base.is_zero() {
                return Err(Problem::new("zero of a unit has no reciprocal\nhint: give an amount above 0"));
            }
            let rough = target.rough || from.iter().any(|(_, unit)| unit.rough);
            return Ok(Converted { to: vec![(base.recip() / &target.factor, target.clone())], from, rough });
        }
    }
    by_density(quantity, readings).ok_or_else(|| mismatch(quantity, readings))
}

/// One reading for each piece, or `None`. A reading other than the target is preferred: `100 degrees`
/// to Celsius are degrees Fahrenheit.
fn choose(pieces: &[Piece], target: &Measure, fits: impl Fn(&Measure) -> bool) -> Option<Vec<(Rational, Measure)>> {
    let chosen = pieces.iter().map(|piece| {
        let fitting = || piece.units.iter().filter(|unit| fits(unit));
        let other = fitting().find(|unit| unit.singular != target.singular);
        let unit =
            fitting().next().filter(|unit| unit.singular != target.singular).or(other).or_else(|| fitting().next())?;
        Some((piece.number.clone(), unit.clone()))
    });
    chosen.collect()
}

/// The sum in SI base units; behind a negative first piece the others go the same way (`-5 ft 3`).
fn total(from: &[(Rational, Measure)]) -> Rational {
    let Some(((number, unit), rest)) = from.split_first() else { return Rational::zero() };
    let sign = if number.is_negative() { ratio(-1, 1) } else { ratio(1, 1) };
    rest.iter().fold(unit.base(number), |sum, (number, unit)| sum + &sign * number * &unit.factor)
}

fn to_mixed(quantity: &Quantity, units: &[Vec<Measure>]) -> Result<Converted, Problem> {
    let first = units.first().map(Vec::as_slice).unwrap_or_default();
    let whole = to_unit(quantity, first)?;
    let Some((number, unit)) = whole.to.first() else { return Ok(whole) };
    let sign = if number.is_negative() { ratio(-1, 1) } else { ratio(1, 1) };
    let mut rest = unit.base(number).abs();
    let mut to = Vec::with_capacity(units.len());
    let count = units.len();
    for (place, readings) in units.iter().enumerate() {
        let Some(part) = readings.iter().find(|reading| reading.dimension == unit.dimension) else { continue };
        let amount = part.amount(&rest);
        let amount = if place + 1 == count { amount } else { amount.floor() };
        rest -= part.base(&amount);
        to.push((if to.is_empty() { &sign * amount } else { amount }, part.clone()));
    }
    carry(&mut to);
    Ok(Converted { to, ..whole })
}

/// Rounds the last part to two places here already, so that no `5 feet 12 inches` comes out.
fn carry(parts: &mut [(Rational, Measure)]) {
    let [.., (above, larger), (last, smaller)] = parts else { return };
    let rounded = Rational::from(tomas_english::show::round(&(&*last * ratio(100, 1)))) / ratio(100, 1);
    *last = rounded;
    if *last >= &larger.factor / &smaller.factor {
        *last = Rational::zero();
        *above += ratio(1, 1);
    }
}

/// Cups of flour to grams, and back.
fn by_density(quantity: &Quantity, readings: &[Measure]) -> Option<Converted> {
    let (_, density) = quantity.ingredient.as_ref()?;
    // Grams per millilitre are tonnes per cubic metre.
    let density = density * ratio(1000, 1);
    let (mass, volume) = (Dimension::read("M"), Dimension::read("L3"));
    for target in readings {
        let (source, factor) = match target.dimension {
            dimension if dimension == mass => (volume, density.clone()),
            dimension if dimension == volume => (mass, density.recip()),
            _ => continue,
        };
        if let Some(from) = choose(&quantity.pieces, target, |unit| unit.dimension == source) {
            let base = total(&from) * factor;
            return Some(Converted { to: vec![(target.amount(&base), target.clone())], from, rough: true });
        }
    }
    None
}

fn mismatch(quantity: &Quantity, readings: &[Measure]) -> Problem {
    let unit = quantity.pieces.iter().find_map(|piece| piece.units.first());
    let (Some(unit), Some(target)) = (unit, readings.first()) else { return Problem::new("no unit to convert") };
    let (from, to) = (unit.dimension.to_string(), target.dimension.to_string());
    let kitchen = [from.as_str(), to.as_str()].iter().all(|what| matches!(*what, "mass" | "volume"));
    let hint =
        if kitchen { "say of what, e.g. `2 cups of flour` to `grams`" } else { "both must measure the same thing" };
    Problem::new(format!("`{}` measures {from} and `{}` measures {to}\nhint: {hint}", unit.plural, target.plural))
}

/// The unit of a system that suits the size of an amount.
fn suitable(quantity: &Quantity, metric: bool, catalogue: &Catalogue) -> Result<Vec<Measure>, Problem> {
    let pieces = quantity.pieces.iter();
    let from: Vec<_> = pieces.filter_map(|piece| Some((piece.number.clone(), piece.units.first()?.clone()))).collect();
    let base = total(&from).abs();
    let dimension = from.first().map(|(_, unit)| unit.dimension.to_string()).unwrap_or_default();
    let names: &[&str] = match (dimension.as_str(), metric) {
        ("length", true) => &["km", "m", "cm", "mm"],
        ("length", false) => &["mile", "foot", "inch"],
        ("mass", true) => &["tonne", "kg", "g", "mg"],
        ("mass", false) => &["pound", "ounce"],
        ("volume", true) => &["litre", "ml"],
        ("volume", false) => &["gallon", "quart", "cup", "fluid ounce", "teaspoon"],
        ("temperature", true) => &["celsius"],
        ("temperature", false) => &["fahrenheit"],
        ("area", true) => &["square kilometre", "hectare", "square metre"],
        ("area", false) => &["square mile", "acre", "square foot"],
        ("speed", true) => &["km/h"],
        ("speed", false) => &["mph"],
        ("energy", true) => &["kWh", "kJ", "J"],
        ("energy", false) => &["BTU", "foot-pound"],
        ("power", true) => &["kW", "W"],
        ("power", false) => &["horsepower"],
        ("pressure", true) => &["bar", "kPa", "Pa"],
        ("pressure", false) => &["psi"],
        ("force", true) => &["kN", "N"],
        ("force", false) => &["lbf"],
        ("fuel economy", true) => &["litre per 100 kilometres"],
        ("fuel economy", false) => &["mpg"],
        _ => return Err(Problem::new(format!("no unit of that system is known for {dimension}\nhint: name a unit"))),
    };
    let units = names.iter().map(|name| unit_named(name, catalogue));
    let units: Vec<Vec<Measure>> = units.filter(|found| !found.is_empty()).collect();
    let fits =
        |readings: &&Vec<Measure>| readings.first().is_some_and(|unit| unit.factor <= base || !unit.offset.is_zero());
    let found = units.iter().find(fits).or(units.last()).cloned();
    found.ok_or_else(|| Problem::new("no unit to convert to"))
}

fn unit_named(name: &str, catalogue: &Catalogue) -> Vec<Measure> {
    let found = catalogue.find(name);
    if !found.is_empty() {
        return found;
    }
    let tokens = crate::quantity::tokens(name).unwrap_or_default();
    crate::compound::read(&tokens, catalogue, false).map(|(units, _)| units).unwrap_or_default()
}
