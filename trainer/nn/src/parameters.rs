//! The parameter store: every variable of a network, by name.
//!
//! Modules are built *from* a store: each asks for its parameters by name and shape. A store that
//! was loaded answers from its tensors; a growing store makes what is missing from its seed. The
//! value made depends on the seed and the name alone, never on the order of asking.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{DType, Device, Tensor, Var};

use crate::error::{Error, Result};
use crate::optimizer::Group;
use crate::weights::Tensors;

/// What a parameter starts as.
#[derive(Clone, Copy, Debug)]
pub enum Init {
    /// Every number is this one.
    Constant(f32),
    /// Normal with mean 0 and this standard deviation.
    Normal(f32),
}

/// One variable.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The variable; an optimizer changes it in place.
    pub var: Var,
    /// Whether training may change it. A frozen parameter enters the network detached, so that no
    /// gradient is computed for it.
    pub trainable: bool,
}

/// Variables by name. The part of a name before its first dot is its *group* (`encoder`,
/// `decoder`, `route`, …), by which learning rates differ.
#[derive(Clone, Debug)]
pub struct Parameters {
    entries: BTreeMap<String, Parameter>,
    requested: BTreeSet<String>,
    seed: Option<u64>,
    device: Device,
}

impl Parameters {
    /// An empty store that makes what it is asked for from `seed`.
    #[must_use]
    pub fn growing(seed: u64, device: &Device) -> Self {
        Self { entries: BTreeMap::new(), requested: BTreeSet::new(), seed: Some(seed), device: device.clone() }
    }

    /// A store of loaded tensors; asking for another name is an error.
    ///
    /// # Errors
    /// [`Error::Tensor`] if a tensor cannot be copied.
    pub fn loaded(tensors: &Tensors, device: &Device) -> Result<Self> {
        let mut store =
            Self { entries: BTreeMap::new(), requested: BTreeSet::new(), seed: None, device: device.clone() };
        for (name, tensor) in tensors {
            store.insert(name, tensor)?;
        }
        Ok(store)
    }

    /// Adds a parameter or replaces its variable by a copy of `tensor`.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the tensor cannot be copied.
    pub fn insert(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        let copy = tensor.to_dtype(DType::F32)?.to_device(&self.device)?.contiguous()?.copy()?;
        let parameter = Parameter { var: Var::from_tensor(&copy)?, trainable: true };
        self.entries.insert(name.to_owned(), parameter);
        Ok(())
    }

    /// Overwrites the value of an existing parameter in place, seen by every module that uses it.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Shape`].
    pub fn set(&self, name: &str, tensor: &Tensor) -> Result<()> {
        let parameter = self.get(name).ok_or_else(|| Error::Missing { name: name.to_owned() })?;
        check_shape(name, parameter.var.dims(), tensor.dims())?;
        Ok(parameter.var.set(&tensor.to_dtype(DType::F32)?.to_device(&self.device)?.contiguous()?)?)
    }

    /// The parameter of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.entries.get(name)
    }

    /// All parameters, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.entries.iter().map(|(name, parameter)| (name.as_str(), parameter))
    }

    /// Names and variables that training may change, in the order of their names.
    pub fn trainable(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.iter().filter(|(_, p)| p.trainable).map(|(name, p)| (name, &p.var))
    }

    /// Decides for each name whether training may change it. Modules see it when they are built
    /// again from this store.
    pub fn set_trainable(&mut self, decide: impl Fn(&str) -> bool) {
        for (name, parameter) in &mut self.entries {
            parameter.trainable = decide(name);
        }
    }

    /// A parameter that no module has asked for, if there is one.
    #[must_use]
    pub fn unused(&self) -> Option<&str> {
        self.entries.keys().find(|name| !self.requested.contains(*name)).map(String::as_str)
    }

    /// Takes over all parameters of another store.
    pub fn adopt(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    /// Groups for the optimizer: parameters of one learning rate and weight decay together.
    /// `rate_scale` gives each name its learning rate over the optimizer's. Vectors (norms, biases,
    /// gates) are not decayed.
    pub fn optimizer_groups(&self, weight_decay: f64, rate_scale: impl Fn(&str) -> f64) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for (name, var) in self.trainable() {
            let (decay, scale) = (if var.rank() > 1 { weight_decay } else { 0.0 }, rate_scale(name));
            let entry = (name.to_owned(), var.clone());
            match groups.iter_mut().find(|group| group.weight_decay == decay && group.rate_scale == scale) {
                Some(group) => group.vars.push(entry),
                None => groups.push(Group { vars: vec![entry], weight_decay: decay, rate_scale: scale }),
            }
        }
        groups
    }

    /// How many numbers there are in all.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.values().map(|p| p.var.elem_count()).sum()
    }

    /// The device that the variables live on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// A view that puts `prefix` and a dot before every name.
    pub fn scope(&mut self, prefix: &str) -> Scope<'_> {
        Scope { store: self, prefix: format!("{prefix}.") }
    }

    /// The tensor of a parameter, made if it is missing and the store grows.
    fn request(&mut self, name: String, shape: &[usize], init: Init) -> Result<Tensor> {
        if !self.entries.contains_key(&name) {
            let seed = self.seed.ok_or_else(|| Error::Missing { name: name.clone() })?;
            let tensor = Tensor::from_vec(initial(seed, &name, shape.iter().product(), init), shape, &self.device)?;
            self.insert(&name, &tensor)?;
        }
        self.requested.insert(name.clone());
        let parameter = self.entries.get(&name).ok_or_else(|| Error::Missing { name: name.clone() })?;
        check_shape(&name, shape, parameter.var.dims())?;
        let var = &parameter.var;
        Ok(if parameter.trainable { var.as_tensor().clone() } else { var.as_detached_tensor() })
    }
}

/// The group of a parameter: its name up to the first dot.
#[must_use]
pub fn group(name: &str) -> &str {
    name.split_once('.').map_or(name, |(group, _)| group)
}

/// A prefix in a store; what a module is built from.
#[derive(Debug)]
pub struct Scope<'a> {
    store: &'a mut Parameters,
    prefix: String,
}

impl Scope<'_> {
    /// A scope further in.
    pub fn scope(&mut self, name: &str) -> Scope<'_> {
        Scope { prefix: format!("{}{name}.", self.prefix), store: self.store }
    }

    /// The parameter `name` of this scope; `init` matters only if it does not exist yet.
    ///
    /// # Errors
    /// [`Error::Missing`] from a loaded store, [`Error::Shape`] if the shape differs.
    pub fn parameter(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Tensor> {
        self.store.request(format!("{}{name}", self.prefix), shape, init)
    }
}

fn check_shape(name: &str, expected: &[usize], found: &[usize]) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::Shape { name: name.to_owned(), found: found.to_vec(), expected: expected.to_vec() })
}

/// The starting values of a parameter: a function of the seed and the name.
fn initial(seed: u64, name: &str, count: usize, init: Init) -> Vec<f32> {
    match init {
        Init::Constant(value) => vec![value; count],
        Init::Normal(deviation) => {
            let mut random = Random::new(seed, name);
            (0..count).map(|_| random.normal() * deviation).collect()
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014), started from a seed and a name by FNV-1a.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A stream that depends on the seed and the name alone.
    #[must_use]
    pub fn new(seed: u64, name: &str) -> Self {
        let hash =
            name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        Self(hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in (0, 1).
    pub fn uniform(&mut self) -> f32 {
        ((self.bits() >> 40) as f32 + 0.5) / (1u64 << 24) as f32
    }

    /// Normal with mean 0 and deviation 1, by Box and Muller.
    pub fn normal(&mut self) -> f32 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f32::consts::TAU * self.uniform()).cos()
    }
}
