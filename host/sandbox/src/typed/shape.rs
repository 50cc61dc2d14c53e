//! Shapes: the types of a component's functions, owned and free of the engine.

use wasmtime::component::{
    Type,
    types::{Case, Field},
};

/// A type that JSON can spell. [`super::schema`] has the schema of each, [`super::value`] the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    Bool,
    Integer(Integer),
    Float32,
    Float64,
    Char,
    String,
    /// `list<u8>`
    Bytes,
    List(Box<Shape>),
    /// A list of fixed length.
    Array(Box<Shape>, u32),
    Map(Box<Shape>, Box<Shape>),
    Record(Vec<(String, Shape)>),
    Tuple(Vec<Shape>),
    Variant(Vec<(String, Option<Shape>)>),
    Enum(Vec<String>),
    Option(Box<Shape>),
    Result(Option<Box<Shape>>, Option<Box<Shape>>),
    Flags(Vec<String>),
}

/// The integer types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integer {
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
}

impl Integer {
    /// The least and the greatest value.
    pub(crate) const fn bounds(self) -> (i128, i128) {
        match self {
            Self::S8 => (i8::MIN as i128, i8::MAX as i128),
            Self::U8 => (0, u8::MAX as i128),
            Self::S16 => (i16::MIN as i128, i16::MAX as i128),
            Self::U16 => (0, u16::MAX as i128),
            Self::S32 => (i32::MIN as i128, i32::MAX as i128),
            Self::U32 => (0, u32::MAX as i128),
            Self::S64 => (i64::MIN as i128, i64::MAX as i128),
            Self::U64 => (0, u64::MAX as i128),
        }
    }
}

/// What the types of a component may still come to, in bytes. A type names others as often as it likes, so that a few
/// kilobytes of types can stand for a billion parts.
pub(crate) struct Room(usize);

impl Room {
    /// Room for everything that one component exports.
    pub(crate) const fn of_a_component() -> Self {
        Self(2 << 20)
    }

    /// Takes `bytes`.
    ///
    /// # Errors
    /// When there are not so many left; then there is no room for anything else either.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Unspeakable> {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(0);
        left.map(|_| ()).ok_or(Unspeakable("types of so many parts"))
    }

    /// Bytes that are left.
    pub(crate) const fn left(&self) -> usize {
        self.0
    }
}

/// Bytes that a part of a type counts as, beside its names.
const PART: usize = 64;

/// A type that JSON cannot spell: what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unspeakable(pub(crate) &'static str);

impl Shape {
    /// The shape of a type.
    ///
    /// # Errors
    /// When JSON cannot spell it: handles inside of other values, futures, streams, more parts than there is room for.
    pub(crate) fn of(ty: &Type, room: &mut Room) -> Result<Self, Unspeakable> {
        room.take(PART)?;
        let mut boxed = |ty: &Type| Self::of(ty, room).map(Box::new);
        Ok(match ty {
            Type::Bool => Self::Bool,
            Type::S8 => Self::Integer(Integer::S8),
            Type::U8 => Self::Integer(Integer::U8),
            Type::S16 => Self::Integer(Integer::S16),
            Type::U16 => Self::Integer(Integer::U16),
            Type::S32 => Self::Integer(Integer::S32),
            Type::U32 => Self::Integer(Integer::U32),
            Type::S64 => Self::Integer(Integer::S64),
            Type::U64 => Self::Integer(Integer::U64),
            Type::Float32 => Self::Float32,
            Type::Float64 => Self::Float64,
            Type::Char => Self::Char,
            Type::String => Self::String,
            Type::List(list) if list.ty() == Type::U8 => Self::Bytes,
            Type::List(list) => Self::List(boxed(&list.ty())?),
            Type::FixedLengthList(list) => Self::Array(boxed(&list.ty())?, list.len()),
            Type::Map(map) => Self::Map(boxed(&map.key())?, boxed(&map.value())?),
            Type::Record(record) => {
                let field = |f: Field<'_>| Ok((named(f.name, room)?, Self::of(&f.ty, room)?));
                Self::Record(record.fields().map(field).collect::<Result<_, _>>()?)
            }
            Type::Tuple(tuple) => Self::Tuple(tuple.types().map(|ty| Self::of(&ty, room)).collect::<Result<_, _>>()?),
            Type::Variant(variant) => {
                let case = |case: Case<'_>| {
                    let name = named(case.name, room)?;
                    Ok((name, case.ty.as_ref().map(|ty| Self::of(ty, room)).transpose()?))
                };
                Self::Variant(variant.cases().map(case).collect::<Result<_, _>>()?)
            }
            Type::Enum(cases) => Self::Enum(cases.names().map(|name| named(name, room)).collect::<Result<_, _>>()?),
            Type::Option(option) => Self::Option(boxed(&option.ty())?),
            Type::Result(result) => {
                let mut optional = |ty: Option<Type>| ty.as_ref().map(&mut boxed).transpose();
                Self::Result(optional(result.ok())?, optional(result.err())?)
            }
            Type::Flags(flags) => Self::Flags(flags.names().map(|name| named(name, room)).collect::<Result<_, _>>()?),
            Type::Own(_) | Type::Borrow(_) => return Err(Unspeakable("a handle inside of another value")),
            Type::Future(_) => return Err(Unspeakable("a future")),
            Type::Stream(_) => return Err(Unspeakable("a stream")),
            Type::ErrorContext => return Err(Unspeakable("an error context")),
        })
    }
}

/// A name, which takes room as well.
fn named(name: &str, room: &mut Room) -> Result<String, Unspeakable> {
    room.take(PART + name.len())?;
    Ok(name.to_owned())
}
