//! Units and quantities as people write them.

use super::{Value, numbers, pick};
use fastrand::Rng;

/// A unit: its canonical name, then how people write it.
type Unit = (&'static str, &'static [&'static str]);

const LENGTH: &[Unit] = &[
    ("kilometre", &["km", "kilometers", "kilometres", "kms", "kilometer"]),
    ("metre", &["m", "meters", "metres", "meter"]),
    ("centimetre", &["cm", "centimeters", "centimetres", "cms"]),
    ("millimetre", &["mm", "millimeters", "millimetres"]),
    ("mile", &["miles", "mile", "mi"]),
    ("yard", &["yards", "yd", "yds"]),
    ("foot", &["feet", "ft", "foot"]),
    ("inch", &["inches", "in", "inch"]),
    ("nautical mile", &["nautical miles", "nmi"]),
    ("light year", &["light years", "lightyears"]),
];
const MASS: &[Unit] = &[
    ("kilogram", &["kg", "kilograms", "kilos", "kgs"]),
    ("gram", &["g", "grams", "gr"]),
    ("milligram", &["mg", "milligrams"]),
    ("pound", &["lb", "lbs", "pounds"]),
    ("ounce", &["oz", "ounces"]),
    ("stone", &["stone", "st"]),
    ("tonne", &["tonnes", "metric tons"]),
    ("ton", &["tons", "short tons"]),
];
const VOLUME: &[Unit] = &[
    ("litre", &["l", "liters", "litres", "L"]),
    ("millilitre", &["ml", "milliliters", "millilitres", "mL"]),
    ("gallon", &["gallons", "gal"]),
    ("quart", &["quarts", "qt"]),
    ("pint", &["pints", "pt"]),
    ("cup", &["cups", "cup"]),
    ("fluid ounce", &["fluid ounces", "fl oz"]),
    ("tablespoon", &["tablespoons", "tbsp"]),
    ("teaspoon", &["teaspoons", "tsp"]),
    ("cubic metre", &["cubic meters", "cubic metres", "m3", "m³"]),
    ("cubic foot", &["cubic feet"]),
];
const TEMPERATURE: &[Unit] = &[
    ("celsius", &["celsius", "C", "°C", "degrees celsius", "degrees C", "c"]),
    ("fahrenheit", &["fahrenheit", "F", "°F", "degrees fahrenheit", "degrees F", "f"]),
    ("kelvin", &["kelvin", "K"]),
];
const AREA: &[Unit] = &[
    ("square metre", &["square meters", "square metres", "m2", "m²", "sqm"]),
    ("square foot", &["square feet", "sq ft", "sqft", "ft2"]),
    ("acre", &["acres"]),
    ("hectare", &["hectares", "ha"]),
    ("square kilometre", &["square kilometers", "km2", "km²"]),
    ("square mile", &["square miles", "sq mi"]),
    ("square yard", &["square yards"]),
];
const SPEED: &[Unit] = &[
    ("kilometre per hour", &["km/h", "kph", "kilometers per hour", "kmh"]),
    ("mile per hour", &["mph", "miles per hour"]),
    ("metre per second", &["m/s", "meters per second"]),
    ("knot", &["knots", "kn"]),
    ("foot per second", &["ft/s", "feet per second"]),
];
const TIME: &[Unit] = &[
    ("second", &["seconds", "sec", "s", "secs"]),
    ("minute", &["minutes", "min", "mins"]),
    ("hour", &["hours", "hrs", "h"]),
    ("day", &["days"]),
    ("week", &["weeks"]),
    ("year", &["years"]),
    ("millisecond", &["milliseconds", "ms"]),
];
const DATA: &[Unit] = &[
    ("byte", &["bytes"]),
    ("kilobyte", &["kB", "kilobytes", "KB"]),
    ("megabyte", &["MB", "megabytes", "mb"]),
    ("gigabyte", &["GB", "gigabytes", "gb", "gigs"]),
    ("terabyte", &["TB", "terabytes", "tb"]),
    ("mebibyte", &["MiB", "mebibytes"]),
    ("gibibyte", &["GiB", "gibibytes"]),
    ("megabit", &["megabits", "Mbit"]),
];
const ENERGY: &[Unit] = &[
    ("joule", &["joules", "J"]),
    ("kilojoule", &["kJ", "kilojoules"]),
    ("kilocalorie", &["kcal", "kilocalories", "Calories"]),
    ("kilowatt hour", &["kWh", "kilowatt hours"]),
    ("watt hour", &["Wh", "watt hours"]),
    ("btu", &["BTU", "btu"]),
];
const POWER: &[Unit] = &[
    ("watt", &["watts", "W"]),
    ("kilowatt", &["kW", "kilowatts"]),
    ("horsepower", &["hp", "horsepower"]),
    ("megawatt", &["MW", "megawatts"]),
];
const PRESSURE: &[Unit] = &[
    ("bar", &["bar", "bars"]),
    ("psi", &["psi", "PSI"]),
    ("pascal", &["pascals", "Pa"]),
    ("kilopascal", &["kPa", "kilopascals"]),
    ("atmosphere", &["atm", "atmospheres"]),
    ("mmHg", &["mmHg"]),
];
const ANGLE: &[Unit] = &[("degree", &["degrees", "°", "deg"]), ("radian", &["radians", "rad"]), ("turn", &["turns"])];

const FAMILIES: &[(&str, &[Unit])] = &[
    ("length", LENGTH),
    ("mass", MASS),
    ("volume", VOLUME),
    ("temperature", TEMPERATURE),
    ("area", AREA),
    ("speed", SPEED),
    ("time", TIME),
    ("data", DATA),
    ("energy", ENERGY),
    ("power", POWER),
    ("pressure", PRESSURE),
    ("angle", ANGLE),
];

fn family(name: &str) -> Result<&'static [Unit], String> {
    FAMILIES.iter().find(|(n, _)| *n == name).map(|(_, u)| *u).ok_or_else(|| format!("there is no family `{name}`"))
}

/// A unit of a family, without a number.
pub(super) fn unit(name: &str, rng: &mut Rng) -> Result<Value, String> {
    let (canonical, spellings) = pick(family(name)?, rng);
    // A lone `in`, `g` or `°` is nobody's target unit.
    let usable: Vec<&&str> =
        spellings.iter().filter(|s| !["in", "gr", "°", "c", "f", "s", "st", "h"].contains(*s)).collect();
    let spelling = usable.get(rng.usize(0..usable.len().max(1))).map_or(*canonical, |s| **s);
    Ok(Value { unit: Some(canonical), ..Value::closed(spelling) })
}

/// A number with a unit of a family.
pub(super) fn quantity(name: &str, rng: &mut Rng) -> Result<Value, String> {
    let (canonical, spellings) = pick(family(name)?, rng);
    let spelling = *pick(spellings, rng);
    let symbol = spelling.chars().count() <= 3;
    let number = match rng.u32(0..20) {
        0..2 if !symbol => numbers::spelled(rng.u64(2..60)),
        2 if !symbol && *canonical != "celsius" => {
            let article = if spelling.starts_with(['a', 'e', 'i', 'o', 'h']) { "an" } else { "a" };
            let singular = canonical;
            return Ok(Value { unit: Some(canonical), ..Value::open(format!("{article} {singular}")) });
        }
        3 if !symbol => {
            return Ok(Value { unit: Some(canonical), ..Value::open(format!("{} {spelling}", fraction(rng))) });
        }
        4 if name == "length" && rng.bool() => return Ok(feet_and_inches(rng)),
        5 if name == "temperature" => format!("-{}", rng.u32(1..60)),
        _ => numbers::number(rng),
    };
    let gap = if symbol && rng.u32(0..10) < 6 { "" } else { " " };
    Ok(Value { unit: Some(canonical), ..Value::open(format!("{number}{gap}{spelling}")) })
}

fn fraction(rng: &mut Rng) -> String {
    let f = *pick(&["1/2", "1/4", "3/4", "1/3", "2/3", "½", "¼", "¾"], rng);
    match rng.u32(0..4) {
        0 => f.to_owned(),
        1 => (*pick(&["half a", "two and a half", "a quarter", "one and a half", "half", "a dozen"], rng)).to_owned(),
        _ => format!("{} {f}", rng.u32(1..9)),
    }
}

fn feet_and_inches(rng: &mut Rng) -> Value {
    let (f, i) = (rng.u32(4..8), rng.u32(0..12));
    let text = match rng.u32(0..5) {
        0 => format!("{f} feet {i} inches"),
        1 => format!("{f}'{i}\""),
        2 => format!("{f}ft {i}in"),
        3 => format!("{f} ft {i} in"),
        _ => format!("{f} foot {i}"),
    };
    Value { unit: Some("foot"), ..Value::open(text) }
}
