//! What a component's exports come to as tools.

use super::{
    docs::Docs,
    program, schema, service,
    shape::{Room, Shape, Unspeakable},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tomas_core::{name::ToolName, tool::Export};
use wasmtime::{
    Engine,
    component::{
        Component, ComponentExportIndex, ResourceType, Type,
        types::{ComponentFunc, ComponentItem},
    },
};

/// Exports that toolchains add for themselves.
const TOOLCHAIN: [&str; 2] = ["init", "exports"];

/// Most characters of a name shown.
const NAME: usize = 80;

/// A function that can be called.
#[derive(Clone)]
pub(crate) struct Function {
    /// Where the component exports it.
    pub(super) index: ComponentExportIndex,
    /// What it takes, by name.
    pub(super) parameters: Vec<(String, Parameter)>,
    /// What it returns.
    pub(super) result: Option<Shape>,
    /// For a model and for people: what the component says of it, or its name and parameters.
    description: String,
}

/// A parameter of a function.
#[derive(Clone)]
pub(crate) enum Parameter {
    /// A value.
    Value(Shape),
    /// A handle. A call begins without any, so its argument is what the constructor of this number is given.
    Handle(usize),
}

/// What makes a handle.
#[derive(Clone)]
pub(crate) struct Constructor {
    /// Where the component exports it.
    pub(super) index: ComponentExportIndex,
    /// What it takes, by name.
    pub(super) parameters: Vec<(String, Shape)>,
    /// Bytes that it takes of what a component's types may come to, each time that it is named.
    weight: usize,
}

impl Constructor {
    /// The parameters as fields of an object.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &Shape)> + Clone {
        self.parameters.iter().map(|(name, shape)| (name.as_str(), shape))
    }
}

/// The functions of a component by tool name.
#[derive(Clone, Default)]
pub(crate) struct Functions {
    pub(super) tools: BTreeMap<ToolName, Function>,
    pub(super) constructors: Vec<Constructor>,
    /// What hosts of WASI call, by tool name, and where it is.
    pub(super) wasi: BTreeMap<ToolName, (Wasi, ComponentExportIndex)>,
    /// What is no tool, and why.
    pub(crate) left_out: Vec<String>,
}

/// An export that every host of its kind knows how to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wasi {
    /// `wasi:cli/run`.
    Program,
    /// `wasi:http/incoming-handler`.
    Service,
}

impl Wasi {
    const ALL: [Self; 2] = [Self::Program, Self::Service];

    /// The interface without its version, and its function.
    const fn path(self) -> (&'static str, &'static str) {
        match self {
            Self::Program => ("wasi:cli/run", "run"),
            Self::Service => ("wasi:http/incoming-handler", "handle"),
        }
    }

    fn export(self, name: ToolName) -> Export {
        match self {
            Self::Program => program::export(name),
            Self::Service => service::export(name),
        }
    }

    /// Where a component exports it, of the second version of WASI.
    fn find(self, engine: &Engine, component: &Component) -> Option<ComponentExportIndex> {
        let (interface, function) = self.path();
        let component_type = component.component_type();
        let version = |name: &str| name.strip_prefix(interface).is_some_and(|rest| rest.starts_with("@0.2."));
        let name = component_type.exports(engine).map(|(name, _)| name).find(|name| version(name))?;
        component.get_export_index(component.get_export_index(None, name).as_ref(), function)
    }
}

/// A function as it is exported, before its types are known to be spellable.
struct Found {
    interface: Option<String>,
    name: String,
    index: ComponentExportIndex,
    ty: ComponentFunc,
}

/// A resource and the number of its constructor.
type Resources = Vec<(ResourceType, usize)>;

impl Functions {
    /// Finds the functions that a component exports, at its top and in its interfaces.
    pub(crate) fn of(engine: &Engine, component: &Component, docs: &Docs) -> Self {
        let (found, resources) = found(engine, component);
        let mut all = Self::default();
        let mut made: Resources = Vec::new();
        let mut room = Room::of_a_component();
        let (constructors, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|f| f.name.starts_with("[constructor]"));
        for constructor in &constructors {
            let before = room.left();
            let parameter = |(name, ty): (&str, Type)| {
                room.take(name.len())?;
                Ok((name.to_owned(), Shape::of(&ty, &mut room)?))
            };
            let parameters: Result<Vec<_>, Unspeakable> = constructor.ty.params().map(parameter).collect();
            if let (Some(Type::Own(resource)), Ok(parameters)) = (constructor.ty.results().next(), parameters)
                && resources.contains(&resource)
            {
                made.push((resource, all.constructors.len()));
                let weight = before - room.left();
                all.constructors.push(Constructor { index: constructor.index, parameters, weight });
            }
        }
        for (found, name) in others.iter().zip(names(&others)) {
            let spelled = Function::of(found, &made, &all.constructors, docs, &mut room);
            let left_out = match (name.parse::<ToolName>(), spelled) {
                (Ok(tool), Ok(_)) if all.tools.contains_key(&tool) => "another function has this name".to_owned(),
                (Ok(tool), Ok(function)) => {
                    all.tools.insert(tool, function);
                    continue;
                }
                (Err(_), _) => "no tool can be called so".to_owned(),
                (_, Err(Unspeakable(what))) => format!("JSON cannot spell {what}"),
            };
            let name: String = name.chars().take(NAME).collect();
            all.left_out.push(format!("`{name}`: {left_out}"));
        }
        for wasi in Wasi::ALL {
            let (interface, function) = wasi.path();
            match (wasi.find(engine, component), function.parse::<ToolName>()) {
                (Some(_), Ok(name)) if all.tools.contains_key(&name) => {
                    all.left_out.push(format!("`{interface}`: another function is called `{name}`"));
                }
                (Some(index), Ok(name)) => drop(all.wasi.insert(name, (wasi, index))),
                _ => {}
            }
        }
        all
    }

    /// Whether this tool is the component's program.
    pub(crate) fn is_program(&self, tool: &ToolName) -> bool {
        self.wasi.get(tool).is_some_and(|(wasi, _)| *wasi == Wasi::Program)
    }

    /// What the component says of its tools, as far as types tell.
    pub(crate) fn exports(&self) -> Vec<Export> {
        let export = |(name, function): (&ToolName, &Function)| Export {
            name: name.clone(),
            description: function.description.clone(),
            parameters: self.parameters(function),
            result: function.result_schema(),
        };
        let wasi = self.wasi.iter().map(|(name, (wasi, _))| wasi.export(name.clone()));
        self.tools.iter().map(export).chain(wasi).collect()
    }

    fn parameters(&self, function: &Function) -> Value {
        let (mut properties, mut required) = (serde_json::Map::new(), Vec::new());
        for (name, parameter) in &function.parameters {
            let (schema, optional) = match parameter {
                Parameter::Value(shape) => (shape.schema(), matches!(shape, Shape::Option(_))),
                Parameter::Handle(number) => {
                    let constructor = self.constructors.get(*number);
                    (constructor.map(|made| schema::object(made.fields())).unwrap_or_default(), false)
                }
            };
            properties.insert(name.clone(), schema);
            if !optional {
                required.push(name.as_str());
            }
        }
        schema::closed(properties.into(), &required)
    }
}

impl Function {
    /// A function that JSON can call, given what makes its handles.
    fn of(
        found: &Found,
        made: &[(ResourceType, usize)],
        constructors: &[Constructor],
        docs: &Docs,
        room: &mut Room,
    ) -> Result<Self, Unspeakable> {
        if found.ty.async_() {
            return Err(Unspeakable("an asynchronous function"));
        }
        let parameter = |(name, ty): (&str, Type)| {
            room.take(name.len())?;
            let parameter = match &ty {
                Type::Own(resource) | Type::Borrow(resource) => {
                    let made = made.iter().find(|(r, _)| r == resource);
                    let number = made.ok_or(Unspeakable("a handle that has no constructor"))?.1;
                    room.take(constructors.get(number).map_or(0, |made| made.weight))?;
                    Parameter::Handle(number)
                }
                ty => Parameter::Value(Shape::of(ty, room)?),
            };
            Ok((name.to_owned(), parameter))
        };
        let parameters = found.ty.params().map(parameter).collect::<Result<Vec<_>, _>>()?;
        let result = found.ty.results().next().as_ref().map(|ty| Shape::of(ty, room)).transpose()?;
        let names: Vec<&str> = found.ty.params().map(|(name, _)| name).collect::<Vec<_>>();
        let description = docs.function(found.interface.as_deref(), &found.name).unwrap_or_else(|| {
            let (interface, dot) = found.interface.as_deref().map_or(("", ""), |name| (name, "."));
            format!("Calls `{interface}{dot}{}({})`.", plain(&found.name), names.join(", "))
        });
        room.take(description.len())?;
        Ok(Self { index: found.index, parameters, result, description })
    }

    /// The schema of what an observation of this tool holds.
    fn result_schema(&self) -> Value {
        let returned = match &self.result {
            Some(Shape::Result(ok, _)) => ok.as_deref(),
            other => other.as_ref(),
        };
        let returned = returned.map_or_else(|| json!({"type": "null"}), Shape::schema);
        schema::result(json!({ "returned": returned }), &["returned"])
    }
}

fn found(engine: &Engine, component: &Component) -> (Vec<Found>, Vec<ResourceType>) {
    let (mut functions, mut resources) = (Vec::new(), Vec::new());
    let mut add =
        |interface: Option<&str>, within: Option<&ComponentExportIndex>, name: &str, item: ComponentItem| match item {
            ComponentItem::ComponentFunc(ty) => {
                if let Some(index) = component.get_export_index(within, name) {
                    functions.push(Found { interface: interface.map(str::to_owned), name: name.to_owned(), index, ty });
                }
            }
            ComponentItem::Resource(resource) => resources.push(resource),
            _ => {}
        };
    for (name, item) in component.component_type().exports(engine) {
        if TOOLCHAIN.contains(&name) || name.starts_with("wasi:") {
            continue;
        }
        match item.ty {
            ComponentItem::ComponentInstance(instance) => {
                let index = component.get_export_index(None, name);
                for (inner, item) in instance.exports(engine) {
                    add(Some(name), index.as_ref(), inner, item.ty);
                }
            }
            item => add(None, None, name, item),
        }
    }
    (functions, resources)
}

/// A name each: that of the function where no other has it, else with its interface, else with its package too.
fn names(found: &[Found]) -> Vec<String> {
    let with = |f: &Found, prefix: &dyn Fn(&str) -> String| match &f.interface {
        Some(path) => ToolName::spelled(&format!("{}_{}", prefix(path), plain(&f.name))),
        None => ToolName::spelled(&plain(&f.name)),
    };
    let spellings: Vec<[String; 3]> = found
        .iter()
        .map(|f| {
            let whole = |path: &str| path.split('@').next().unwrap_or(path).to_owned();
            [ToolName::spelled(&plain(&f.name)), with(f, &|path| local(path).to_owned()), with(f, &whole)]
        })
        .collect();
    let mut times: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for names in &spellings {
        for (length, name) in names.iter().enumerate() {
            *times.entry((length, name)).or_default() += 1;
        }
    }
    let once = |(length, name): &(usize, &String)| times.get(&(*length, name.as_str())) == Some(&1);
    let name = |names: &[String; 3]| names.iter().enumerate().find(once).map_or(&names[2], |(_, name)| name).clone();
    spellings.iter().map(name).collect()
}

/// `[method]counter.increment` is `counter.increment`.
fn plain(name: &str) -> String {
    name.split_once(']').map_or(name, |(_, name)| name).to_owned()
}

/// `docs:adder/add@0.1.0` is `add`.
pub(super) fn local(path: &str) -> &str {
    let path = path.split('@').next().unwrap_or(path);
    path.rsplit('/').next().unwrap_or(path)
}
