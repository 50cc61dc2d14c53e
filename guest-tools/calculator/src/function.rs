//! The functions and constants by name.

use tomas_english::num_bigint::BigInt;
use tomas_english::num_integer::Integer;
use tomas_english::num_traits::{One, Signed, Zero};
use tomas_english::{Rational, ratio, show};

use crate::discrete;
use crate::precise;
use crate::problem::Problem;
use crate::value::{Kind, Value, brief};

/// What can be applied to arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Sqrt,
    Cbrt,
    Root(u32),
    Square,
    Cube,
    Abs,
    Floor,
    Ceil,
    Round,
    Truncate,
    Sign,
    Reciprocal,
    Negate,
    Log,
    LogBase(u32),
    Ln,
    Exp,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Factorial,
    Choose,
    Permute,
    Gcd,
    Lcm,
    Min,
    Max,
    Sum,
    Product,
    Mean,
    Median,
    Deviation,
    Power,
    Multiple(i32),
}

impl Function {
    /// Whether it takes a list, so that `gcd(12,180)` has two arguments.
    pub(crate) fn takes_list(self) -> bool {
        use Function::{Choose, Deviation, Gcd, Lcm, Log, Max, Mean, Median, Min, Permute, Power, Product, Round, Sum};
        matches!(
            self,
            Gcd | Lcm | Min | Max | Sum | Product | Mean | Median | Deviation | Choose | Permute | Power | Log | Round
        )
    }

    /// Whether it is worked out for a list of any length.
    pub(crate) fn is_aggregate(self) -> bool {
        use Function::{Deviation, Gcd, Lcm, Max, Mean, Median, Min, Product, Sum};
        matches!(self, Gcd | Lcm | Min | Max | Sum | Product | Mean | Median | Deviation)
    }

    /// The value at `arguments`.
    pub(crate) fn apply(self, arguments: &[Value]) -> Result<Value, Problem> {
        let wrong = || Problem::unclear(format!("a function with {} numbers", arguments.len()));
        if self.is_aggregate() {
            return if arguments.is_empty() { Err(wrong()) } else { self.aggregate(arguments) };
        }
        match arguments {
            [x] => self.of_one(x),
            [x, y] => self.of_two(x, y),
            _ => Err(wrong()),
        }
    }

    fn of_two(self, x: &Value, y: &Value) -> Result<Value, Problem> {
        match self {
            Self::Log => of_ratio(&logarithm(&x.number)?, &logarithm(&y.number)?, x, y),
            Self::Round => Ok(round_to(x, small(y, 1000)?)),
            Self::Choose => discrete::choose(x, y),
            Self::Permute => discrete::permute(x, y),
            Self::Power => x.power(y),
            _ => Err(Problem::unclear("a function of one number with two numbers")),
        }
    }

    fn of_one(self, x: &Value) -> Result<Value, Problem> {
        let number = &x.number;
        let keep = |number: Rational| Ok(Value { number, ..x.clone() });
        match self {
            Self::Sqrt => root(x, 2),
            Self::Cbrt => root(x, 3),
            Self::Root(degree) => root(x, degree),
            Self::Square => x.power(&Value::whole(2)),
            Self::Cube => x.power(&Value::whole(3)),
            Self::Abs => keep(number.abs()),
            Self::Floor => keep(number.floor()),
            Self::Ceil => keep(number.ceil()),
            Self::Truncate => keep(number.trunc()),
            Self::Round => keep(show::round(number).into()),
            Self::Sign => Ok(Value::exact(number.signum())),
            Self::Reciprocal => Value::whole(1).over(x),
            Self::Negate => Ok(x.negated()),
            Self::Multiple(factor) => Value::whole(factor).of(x),
            Self::Factorial => discrete::factorial(x),
            Self::Log => self.logarithm_of(x, 10),
            Self::LogBase(base) => self.logarithm_of(x, base),
            _ => self.transcendental(x),
        }
    }

    fn logarithm_of(self, x: &Value, base: u32) -> Result<Value, Problem> {
        let base = Value::whole(base);
        of_ratio(&logarithm(&x.number)?, &logarithm(&base.number)?, x, &base)
    }

    fn transcendental(self, x: &Value) -> Result<Value, Problem> {
        let number = &x.number;
        let far = || Problem::impossible(format!("`{}` is too large for this function", brief(number)));
        let result = match self {
            Self::Ln => logarithm(number)?,
            Self::Exp => precise::exp(number).ok_or_else(far)?,
            Self::Sin => precise::sin_cos(number).ok_or_else(far)?.0,
            Self::Cos => precise::sin_cos(number).ok_or_else(far)?.1,
            Self::Tan => {
                let (sine, cosine) = precise::sin_cos(number).ok_or_else(far)?;
                if precise::vanishes(&cosine, &Rational::one()) {
                    return Err(Problem::impossible("the tangent of a right angle is not a number"));
                }
                sine / cosine
            }
            Self::Asin => arcsine(number)?,
            Self::Acos => precise::pi() / ratio(2, 1) - arcsine(number)?,
            Self::Atan => precise::atan(number),
            Self::Sinh | Self::Cosh | Self::Tanh => hyperbolic(self, number).ok_or_else(far)?,
            _ => return Err(Problem::unclear("a function of two numbers with one number")),
        };
        if number.is_zero() || precise::vanishes(&result, &Rational::one()) {
            // At zero all of these are 0, 1 or a half pi, and rounding errors of zero are zero.
            let exact = result.is_zero() || precise::vanishes(&result, &Rational::one());
            return Ok(if exact { Value::whole(0) } else { snapped(&result) });
        }
        Ok(snapped(&result))
    }

    fn aggregate(self, list: &[Value]) -> Result<Value, Problem> {
        let (first, rest) = list.split_first().ok_or_else(|| Problem::unclear("an empty list"))?;
        let fold = |step: &dyn Fn(&Value, &Value) -> Result<Value, Problem>| {
            rest.iter().try_fold(first.clone(), |total, next| step(&total, next))
        };
        match self {
            Self::Sum => fold(&plain_sum),
            Self::Product => fold(&Value::times),
            Self::Mean => fold(&plain_sum)?.over(&Value::whole(list.len())),
            Self::Max => fold(&|a, b| Ok(if b.number > a.number { b.clone() } else { a.clone() })),
            Self::Min => fold(&|a, b| Ok(if b.number < a.number { b.clone() } else { a.clone() })),
            Self::Median => median(list),
            Self::Deviation => deviation(list),
            Self::Gcd => discrete::common(list, |a, b| a.gcd(b)),
            _ => discrete::common(list, |a, b| a.lcm(b)),
        }
    }
}

/// A sum in which percentages are just numbers.
fn plain_sum(a: &Value, b: &Value) -> Result<Value, Problem> {
    if b.kind == Kind::Percent && a.kind != Kind::Percent {
        return a.plus(&b.clone().with(Kind::Plain));
    }
    a.plus(b)
}

fn median(list: &[Value]) -> Result<Value, Problem> {
    let mut sorted: Vec<&Value> = list.iter().collect();
    sorted.sort_by(|a, b| a.number.cmp(&b.number));
    let middle = sorted.len() / 2;
    match (sorted.get(middle.wrapping_sub(1)), sorted.get(middle)) {
        (Some(low), Some(high)) if sorted.len().is_multiple_of(2) => plain_sum(low, high)?.over(&Value::whole(2)),
        (_, Some(high)) => Ok((*high).clone()),
        _ => Err(Problem::unclear("the median of nothing")),
    }
}

/// The standard deviation of a whole population.
fn deviation(list: &[Value]) -> Result<Value, Problem> {
    let mean = Function::Mean.aggregate(list)?;
    let mut total = Value::whole(0);
    for value in list {
        let distance = value.minus(&mean)?.with(Kind::Plain);
        total = total.plus(&distance.times(&distance)?)?;
    }
    Ok(root(&total.over(&Value::whole(list.len()))?, 2)?.with(mean.kind))
}

fn root(x: &Value, degree: u32) -> Result<Value, Problem> {
    if degree == 0 {
        return Err(Problem::impossible("there is no 0th root"));
    }
    if x.number.is_negative() && degree.is_multiple_of(2) {
        return Err(Problem::impossible(format!(
            "`{}` has no real root of even degree\nhint: complex numbers are not supported",
            brief(&x.number)
        )));
    }
    if degree <= 4096
        && let Some(number) = precise::exact_root(&x.number, degree)
    {
        return Ok(Value { number, ..x.clone() });
    }
    let size = x.number.abs();
    let number = match degree {
        2 => precise::sqrt(&size),
        _ => precise::exp(&(precise::ln(&size) / ratio(i64::from(degree), 1))).ok_or_else(crate::value::too_large)?,
    };
    let number = if x.number.is_negative() { -number } else { number };
    Ok(Value::rounded(&number).with(x.kind))
}

fn logarithm(number: &Rational) -> Result<Rational, Problem> {
    match number.is_positive() {
        true => Ok(precise::ln(number)),
        false => Err(Problem::impossible(format!(
            "the logarithm of `{}`\nhint: logarithms exist of positive numbers only",
            brief(number)
        ))),
    }
}

/// ln x / ln y, exact when x is a whole power of y.
fn of_ratio(top: &Rational, bottom: &Rational, x: &Value, y: &Value) -> Result<Value, Problem> {
    if bottom.is_zero() {
        return Err(Problem::impossible("a logarithm to base 1"));
    }
    let quotient = Value::rounded(&(top / bottom));
    let whole = Value::exact(show::round(&quotient.number).into());
    match y.power(&whole) {
        Ok(power) if x.exact && power.number == x.number => Ok(whole),
        _ => Ok(quotient),
    }
}

fn arcsine(number: &Rational) -> Result<Rational, Problem> {
    let rest = Rational::one() - number * number;
    if rest.is_negative() {
        return Err(Problem::impossible(format!(
            "the arcsine or arccosine of `{}`\nhint: it exists between -1 and 1",
            brief(number)
        )));
    }
    if rest.is_zero() {
        let half_pi = precise::pi() / ratio(2, 1);
        return Ok(if number.is_negative() { -half_pi } else { half_pi });
    }
    Ok(precise::atan(&precise::cut(&(number / precise::sqrt(&rest)))))
}

fn hyperbolic(function: Function, number: &Rational) -> Option<Rational> {
    let (up, down) = (precise::exp(number)?, precise::exp(&-number.clone())?);
    Some(match function {
        Function::Sinh => (up - down) / ratio(2, 1),
        Function::Cosh => (up + down) / ratio(2, 1),
        _ => (&up - &down) / (up + down),
    })
}

/// An inexact number that is a short decimal to more than 40 digits is that decimal: sin 30° is 0.5.
pub(crate) fn snapped(number: &Rational) -> Value {
    let value = Value::rounded(number);
    let scale = Rational::from(BigInt::from(1_000_000_000_000_i64));
    let near = Rational::from(show::round(&(&value.number * &scale))) / scale;
    let gap = &value.number - &near;
    if !near.is_zero() && (gap.is_zero() || precise::vanishes(&(gap * ratio(1 << 20, 1)), &near)) {
        return Value { number: near, exact: false, kind: Kind::Plain };
    }
    value
}

/// `x` rounded to `places` decimal places (negative: tens, hundreds).
pub(crate) fn round_to(x: &Value, places: i64) -> Value {
    let power = Value::whole(10).power(&Value::whole(places.clamp(-1000, 1000)));
    let number = match power {
        Ok(scale) => Rational::from(show::round(&(&x.number * &scale.number))) / scale.number,
        Err(_) => x.number.clone(),
    };
    Value { number, exact: true, kind: x.kind }
}

/// A whole number of at most `limit` in size.
pub(crate) fn small(value: &Value, limit: i64) -> Result<i64, Problem> {
    let whole = value.number.is_integer().then(|| i64::try_from(value.number.numer()).ok()).flatten();
    whole.filter(|n| n.abs() <= limit).ok_or_else(|| {
        Problem::impossible(format!("`{}` where a whole number up to {limit} is wanted", brief(&value.number)))
    })
}
