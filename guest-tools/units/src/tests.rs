//! What people write, and what they get.

use serde_json::json;
use tomas_tool_sdk::testing;

use super::*;

fn text(quantity: &str, to: &str) -> String {
    match testing::call::<Units>(json!({ "quantity": quantity, "to": to })) {
        Ok(result) => result["text"].as_str().unwrap_or_default().to_owned(),
        Err(error) => format!("! {error}"),
    }
}

#[track_caller]
fn check(cases: &[(&str, &str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(quantity, to, expected)| {
            let found = text(quantity, to);
            (found != *expected).then(|| format!("{quantity} -> {to}\n   expected {expected}\n   found    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_description_has_no_faults() {
    assert_eq!(testing::faults::<Units>(), Vec::<String>::new());
}

#[test]
fn the_answers_read_well() {
    check(&[
        ("26.2 miles", "km", "26.2 miles = 42.1648 kilometres"),
        ("26.2 miles", "kilometers", "26.2 miles = 42.1648 kilometers"),
        ("5 feet 11 inches", "cm", "5 feet 11 inches = 180.34 centimetres"),
        ("98.6°F", "C", "98.6 °F = 37 °C"),
        ("350F", "celsius", "350 °F = 176.667 °C"),
        ("-40 celsius", "fahrenheit", "-40 °C = -40 °F"),
        ("300 kelvin", "°C", "300 K = 26.85 °C"),
        ("a pound", "grams", "1 pound = 453.592 grams"),
        ("3 1/2 cups", "ml", "3.5 cups = 828.059 millilitres"),
        ("1,500 kcal", "kilojoules", "1,500 kilocalories = 6,276 kilojoules"),
        ("180cm", "feet", "180 centimetres = 5.90551 feet (5 ft 10.9 in)"),
        ("180 cm", "feet and inches", "180 centimetres = 5 feet 10.87 inches"),
        ("3 years", "days", "3 years = 1,095 days (years of 365 days)"),
        ("2 cups of flour", "grams", "2 cups of flour ≈ 251 grams"),
        ("2-3 cups", "ml", "2 to 3 cups = 473.176 to 709.765 millilitres"),
        ("5 miles; 10 miles", "km", "5 miles = 8.04672 kilometres\n10 miles = 16.09344 kilometres"),
        ("7.5 l/100km", "mpg", "7.5 litres per 100 kilometres = 31.3619 miles per gallon"),
        ("1 lightyear", "km", "1 light year = 9,460,730,000,000 kilometres"),
        ("1/3 cup", "ml", "1/3 cups = 78.8627 millilitres"),
    ]);
}

#[test]
fn all_families() {
    check(&[
        ("72 kg", "stones", "72 kilograms = 11.3381 stone"),
        ("72 kg", "stone and pounds", "72 kilograms = 11 stone 4.73 pounds"),
        ("60 mph", "kilometres per hour", "60 miles per hour = 96.56064 kilometres per hour"),
        ("2 acres", "square metres", "2 acres = 8,093.71 square metres"),
        ("3000 sq ft", "m2", "3,000 square feet = 278.709 square metres"),
        ("half a litre", "oz", "0.5 litres = 16.907 fluid ounces"),
        ("16 GB", "MB", "16 gigabytes = 16,000 megabytes"),
        ("2.4 bar", "psi", "2.4 bars = 34.8091 pounds per square inch"),
        ("150 hp", "kW", "150 horsepower = 111.855 kilowatts"),
        ("3 days", "minutes", "3 days = 4,320 minutes"),
        ("10 fl oz", "millilitres", "10 fluid ounces = 295.735 millilitres"),
        ("8 knots", "km/h", "8 knots = 14.816 kilometres per hour"),
        ("45 degrees", "radians", "45 degrees = 0.785398 radians"),
        ("4 tablespoons", "teaspoons", "4 tablespoons = 12 teaspoons"),
        ("500 MB/s", "gigabits per second", "500 megabytes per second = 4 gigabits per second"),
        ("2 nautical miles", "metres", "2 nautical miles = 3,704 metres"),
        ("100 joules", "calories", "100 joules = 23.9006 calories"),
        ("10 N", "lbf", "10 newtons = 2.24809 pounds-force"),
        ("70 kg", "newtons", "70 kilograms-force = 686.4655 newtons"),
        ("30 mpg", "l/100km", "30 miles per gallon = 7.84049 litres per 100 kilometres"),
        ("40 mpg uk", "l/100km", "40 miles per imperial gallon = 7.06202 litres per 100 kilometres"),
        ("9.81 m/s^2", "ft/s2", "9.81 metres per square second = 32.185 feet per square second"),
        ("1 g/cm3", "kg/m3", "1 gram per cubic centimetre = 1,000 kilograms per cubic metre"),
        ("100 N*m", "ft-lb", "100 newton metres = 73.7562 foot-pounds"),
        ("5 kWh", "MJ", "5 kilowatt hours = 18 megajoules"),
        ("3000 mAh", "Ah", "3,000 milliampere hours = 3 ampere hours"),
        ("gas mark 4", "celsius", "gas mark 4 = 176.667 °C"),
        ("mach 2", "km/h", "mach 2 ≈ 2,450.16 kilometres per hour (at sea level)"),
        ("1 GiB", "MiB", "1 gibibyte = 1,024 mebibytes"),
        ("1 TB", "GiB", "1 terabyte = 931.323 gibibytes"),
        ("90 minutes", "hours and minutes", "90 minutes = 1 hour 30 minutes"),
    ]);
}

#[test]
fn people_write_in_many_ways() {
    let mut wrong = Vec::new();
    for (quantity, to, part) in [
        ("5'11\"", "cm", "180.34"),
        ("5′11″", "cm", "180.34"),
        ("5'11", "cm", "180.34"),
        ("5'3\"", "cm", "160.02"),
        ("413,620c", "kelvin", "413,893"),
        ("3 c", "ml", "709.765"),
        ("5 ft 11", "cm", "180.34"),
        ("5ft11in", "cm", "180.34"),
        ("6-foot-2", "cm", "187.96"),
        ("5 foot 11", "meters", "1.8034 meters"),
        ("12 stone 7", "kg", "79.3787"),
        ("7 lb 8 oz", "kg", "3.40194"),
        ("81 kilos", "lbs", "178.574"),
        ("10 killometres", "miles", "6.21371"),
        ("10 kilo meters", "miles", "6.21371"),
        ("5k", "miles", "3.10686"),
        ("10k feet", "m", "3,048 metres"),
        ("ten and a half miles", "km", "16.8981"),
        ("a dozen inches", "ft", "1 foot"),
        ("half an inch", "mm", "12.7"),
        ("quarter of a mile", "m", "402.336"),
        ("a quarter pound", "g", "113.398"),
        ("two and a half hours", "minutes", "150 minutes"),
        ("minus 40 F", "C", "-40 °C"),
        ("20 below zero celsius", "F", "-4 °F"),
        ("6ft2", "cm", "187.96"),
        ("185cm", "feet/inches", "6 feet 0.83 inches"),
        ("1 mcg", "mg", "0.001"),
        ("1013 mbar", "psi", "14.6923"),
        ("50 Nm", "ft-lb", "36.8781"),
        ("1 light-year", "km", "9,460,730,000,000"),
        ("how many feet in a mile", "", "5,280"),
        ("i weigh 70 kg", "lbs", "154.324"),
        ("1:45", "minutes", "1 hour 45 minutes = 105 minutes"),
        ("5:30 min", "seconds", "330 seconds"),
        ("100 degrees", "celsius", "37.7778"),
        ("100 degrees", "fahrenheit", "212"),
        ("20 °C", "F", "68 °F"),
        ("37 degrees celsius", "farenheit", "98.6 °F"),
        ("100 fahrenheit", "centigrade", "37.7778"),
        ("1.5e3 m", "km", "1.5 kilometres"),
        ("3 x 10^8 m/s", "km/s", "300,000"),
        ("2,5 kg", "g", "2,500 grams"),
        ("1 000 m", "km", "1 kilometre"),
        ("120 km/h", "m/s", "33.3333"),
        ("120 kilometers an hour", "mph", "74.5645"),
        ("60 miles per hour", "km per hour", "96.5606"),
        ("32 psi", "bar", "2.20632"),
        ("500 sq. ft.", "sq m", "46.4515"),
        ("20 square meters", "square feet", "215.278"),
        ("2 cubic feet", "litres", "56.6337"),
        ("10 m²", "ft²", "107.639"),
        ("5 m3", "gallons", "1,320.86"),
        ("100 Mbps", "MB/s", "12.5"),
        ("1 cup", "tbsp", "16 tablespoons"),
        ("8 oz", "g", "226.796"),
        ("8 oz", "ml", "236.588"),
        ("a pint", "ml", "473.176"),
        ("an imperial pint", "ml", "568.261"),
        ("1 ton", "kg", "907.185"),
        ("1 tonne", "lbs", "2,204.62"),
        ("1 acre", "square feet", "43,560"),
        ("750 watts", "horsepower", "1.00577"),
        ("26.2 miles", "in km", "42.1648"),
        ("26.2 miles", "how many kilometres?", "42.1648"),
        ("26.2 miles in km", "", "42.1648"),
        ("convert 3 feet", "metres please", "0.9144"),
        ("about 20 miles", "km", "32.18688"),
        ("how much is 200 lb", "kg", "90.7185"),
        ("1:30:00", "minutes", "90 minutes"),
        ("5 miles", "metric", "8.04672 kilometres"),
        ("2 litres", "imperial", "2.11338 quarts"),
        ("30 celsius", "imperial", "86 °F"),
        ("1 mile", "km; feet", "5,280 feet"),
        ("360 degrees", "turns", "1 turn"),
        ("1 megabyte", "kilobytes", "1,000 kilobytes"),
        ("1 nautical mile", "miles", "1.15078"),
        ("100 ml water", "grams", "100 grams"),
        ("1 stick of butter", "grams", "114 grams"),
        ("10 newton metres", "joules", "10 joules"),
        ("2 hours 30", "minutes", "150 minutes"),
        ("1 year", "seconds", "31,536,000"),
        ("1 month", "days", "30.4167"),
        ("5 lbs and 3 oz", "kg", "2.35301"),
        ("four score years", "days", "! "),
    ] {
        let found = text(quantity, to);
        if !found.contains(part) {
            wrong.push(format!("{quantity} -> {to}: {found} lacks {part}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_has_no_answer_says_why() {
    for (quantity, to, part) in [
        ("", "km", "is empty"),
        ("5", "km", "has no unit"),
        ("5 km", "", "names no unit"),
        ("5 km", "kg", "measures length and `kilograms` measures mass"),
        ("5 cups", "grams", "say of what"),
        ("5 florps", "km", "`florps` in `5 florps` is not a known unit"),
        ("5 km", "mils per galon", "measures length"),
        ("5 km", "qwertzuiop", "`qwertzuiop` is not a known unit"),
        ("$5", "euros", "exchange rates"),
        ("1e9999 km", "m", "exponent above 5000"),
        ("0 mpg", "l/100km", "reciprocal"),
    ] {
        let found = text(quantity, to);
        assert!(found.starts_with("! ") && found.contains(part), "{quantity} -> {to}: {found}");
    }
}

#[test]
fn nothing_panics() {
    let seeds = [
        "5 feet 11 inches",
        "26.2 miles",
        "98.6°F",
        "3 1/2 cups",
        "l/100km",
        "kg m^-2 s",
        "half a litre",
        "6-foot-2",
        "5'11\"",
        "1:30:15 min",
        "gas mark 4",
        "2-3 cups of flour",
        "square",
        "cubic per",
        "x 10^8",
        "m^9999",
        "per per / * -",
        "°°°",
        "metric",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    for round in 0..600 {
        let text: String = if round % 3 == 0 {
            let bytes: Vec<u8> = (0..random(30)).map(|_| u8::try_from(random(256)).unwrap()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            let mut chars: Vec<char> =
                format!("{} {}", seeds[random(seeds.len())], seeds[random(seeds.len())]).chars().collect();
            for _ in 0..random(6) {
                let (from, to) = (random(chars.len()), random(chars.len()));
                match random(3) {
                    0 => chars.swap(from, to),
                    1 => drop(chars.remove(from)),
                    _ => chars.insert(from, chars[to]),
                }
                if chars.is_empty() {
                    chars.push('1');
                }
            }
            chars.into_iter().collect()
        };
        let _ = testing::call::<Units>(json!({ "quantity": text, "to": seeds[random(seeds.len())] }));
        let _ = testing::call::<Units>(json!({ "quantity": "5 km", "to": text }));
    }
}

#[test]
fn every_sample_has_an_answer() {
    let manifest = include_str!("../tool.toml");
    let samples: Vec<&str> = manifest.lines().filter_map(|line| line.strip_prefix("arguments = ")).collect();
    assert!(samples.len() >= 9);
    for sample in samples {
        let sample = sample.replacen("quantity =", "\"quantity\":", 1).replacen(", to =", ", \"to\":", 1);
        let arguments: Value = serde_json::from_str(&sample).unwrap();
        let result = testing::call::<Units>(arguments);
        assert!(result.is_ok(), "{result:?}");
    }
}
