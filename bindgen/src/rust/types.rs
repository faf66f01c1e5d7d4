//! Types of the language as types of Rust.

use spec::artifact::{AbiType, EnumType, Slot, VariantType};

use super::{is_lenient, slots};
use crate::Ungenerated;
use crate::model::{Types, option_of};
use crate::names::{Scope, pascal};
use crate::text::rust;

/// The longest tuple that clients can give and read.
const TUPLE_MAX: usize = 8;

/// A parameter, an argument or a field.
pub(super) struct Field {
    /// Its name in Rust.
    pub(super) name: String,
    /// Its name in the artifact, as a literal.
    key: String,
    /// Its type in Rust.
    text: String,
    /// Its type in the language.
    said: String,
    is_lenient: bool,
}

impl Field {
    pub(super) fn of(slot: &Slot, name: String, types: &Types) -> Result<Self, Ungenerated> {
        let (text, said) = (type_text(&slot.ty, types)?, slot.ty.to_string());
        Ok(Self { name, key: rust(&slot.name), text, said, is_lenient: is_lenient(&slot.ty) })
    }

    /// The pair of its key and what is given for it, where `value` is its value.
    pub(super) fn given(&self, value: &str) -> String {
        format!("({}, client::Abi::given(&{value}))", self.key)
    }

    /// As an argument.
    pub(super) fn taken(&self) -> String {
        match self.is_lenient {
            true => format!("{}: impl Into<{}>", self.name, self.text),
            false => format!("{}: {}", self.name, self.text),
        }
    }

    /// The same pair for what was taken as an argument.
    pub(super) fn given_taken(&self) -> String {
        match self.is_lenient {
            true => format!("({}, client::Abi::given(&Into::<{}>::into({})))", self.key, self.text, self.name),
            false => self.given(&self.name),
        }
    }

    /// As a field of a literal that takes the next of `parts`.
    pub(super) fn read(&self) -> String {
        format!("            {}: client::Abi::from_value(parts.next()?)?,\n", self.name)
    }

    fn declared(&self, indent: &str) -> String {
        let said = self.said.replace('`', "'");
        format!(
            "{}{indent}pub {}: {},\n",
            crate::text::rust_docs(indent, &format!("Of type `{said}`.")),
            self.name,
            self.text
        )
    }
}

/// The type of Rust behind a type of the language.
fn type_text(ty: &AbiType, types: &Types) -> Result<String, Ungenerated> {
    Ok(match ty {
        AbiType::Int | AbiType::IntN(_) => "i128".to_owned(),
        AbiType::Bool => "bool".to_owned(),
        AbiType::Coin => "client::Sats".to_owned(),
        AbiType::Bytes => "Vec<u8>".to_owned(),
        AbiType::BytesN(len) => format!("[u8; {len}]"),
        AbiType::Sigs(count) => format!("client::Sigs<{count}>"),
        AbiType::Tuple(parts) if !(1..=TUPLE_MAX).contains(&parts.len()) => {
            return Err(Ungenerated::Type(ty.to_string()));
        }
        AbiType::Tuple(parts) => {
            let parts = parts.iter().map(|part| type_text(part, types)).collect::<Result<Vec<_>, _>>()?;
            format!("({},)", parts.join(", "))
        }
        AbiType::Array(of, len) | AbiType::Table(of, len) => format!("[{}; {len}]", type_text(of, types)?),
        AbiType::List(of) => format!("Vec<{}>", types.name(&AbiType::Struct(of.clone()))),
        AbiType::Enum(_) => match option_of(ty) {
            Some(inner) => format!("Option<{}>", type_text(inner, types)?),
            None => types.name(ty).to_owned(),
        },
        AbiType::Struct(_) => types.name(ty).to_owned(),
        plain => format!("client::{plain}"),
    })
}

/// A struct of these fields.
pub(super) fn struct_of(name: &str, fields: &[Field]) -> String {
    let fields: String = fields.iter().map(|field| field.declared("    ")).collect();
    format!("#[derive(Clone, Debug, PartialEq, Eq)]\npub struct {name} {{\n{fields}}}\n")
}

/// A declared type, and how its values are given and read.
pub(super) fn declared(ty: &AbiType, name: &str, types: &Types) -> Result<String, Ungenerated> {
    match ty {
        AbiType::Struct(of) => {
            let fields = slots(&of.fields, types)?;
            let given = fields.iter().map(|field| format!("client::Abi::given(&self.{})", field.name));
            let read: String = fields.iter().map(Field::read).collect();
            let whole = format!("Self {{\n{read}        }}");
            let declared = struct_of(name, &fields);
            let given = format!("client::Given::Parts(vec![{}])", given.collect::<Vec<_>>().join(", "));
            Ok(with_abi(name, &declared, &given, "let mut parts = value.parts()?.iter();", &whole))
        }
        AbiType::Enum(of) => enum_of(of, name, types),
        _ => Ok(String::new()),
    }
}

fn enum_of(of: &EnumType, name: &str, types: &Types) -> Result<String, Ungenerated> {
    let names = Scope::all(of.variants.iter().map(|variant| variant.name.as_str()), pascal_variant);
    let (mut declared, mut given, mut read) = (String::new(), String::new(), String::new());
    for (place, (variant, name)) in of.variants.iter().zip(&names).enumerate() {
        let one = Variant::of(variant, name, types)?;
        declared += &one.declared();
        given += &one.given(place);
        read += &one.read(place);
    }
    let matched = if of.variants.is_empty() { "*self" } else { "self" };
    let declared = format!("#[derive(Clone, Debug, PartialEq, Eq)]\npub enum {name} {{\n{declared}}}\n");
    let given = format!("match {matched} {{\n{given}        }}");
    let opened =
        "let client::Value::Variant(place, parts) = value else { return None };\n        let mut parts = parts.iter();";
    Ok(with_abi(
        name,
        &declared,
        &given,
        opened,
        &format!("match place {{\n{read}            _ => return None,\n        }}"),
    ))
}

/// `Self` names the whole enum.
fn pascal_variant(name: &str) -> String {
    let name = pascal(name);
    if name == "Self" { "Itself".to_owned() } else { name }
}

struct Variant<'a> {
    name: &'a str,
    fields: Vec<Field>,
    has_names: bool,
}

impl<'a> Variant<'a> {
    fn of(variant: &VariantType, name: &'a str, types: &Types) -> Result<Self, Ungenerated> {
        let has_names = !variant.names.is_empty() && variant.names.len() == variant.fields.len();
        let name_of = |at: usize| variant.names.get(at).filter(|_| has_names).cloned();
        let slot = |(at, ty): (usize, &AbiType)| Slot {
            name: name_of(at).unwrap_or_else(|| format!("part{at}")),
            ty: ty.clone(),
        };
        let all: Vec<Slot> = variant.fields.iter().enumerate().map(slot).collect();
        Ok(Self { name, fields: slots(&all, types)?, has_names })
    }

    fn shape(&self, part: impl Fn(&Field) -> String) -> String {
        let parts = self.fields.iter().map(|field| match self.has_names {
            true if part(field) == field.name => part(field),
            true => format!("{}: {}", field.name, part(field)),
            false => part(field),
        });
        let parts = parts.collect::<Vec<_>>().join(", ");
        match (self.fields.is_empty(), self.has_names) {
            (true, _) => self.name.to_owned(),
            (false, true) => format!("{} {{ {parts} }}", self.name),
            (false, false) => format!("{}({parts})", self.name),
        }
    }

    fn declared(&self) -> String {
        format!("    /// `{}`.\n    {},\n", self.name, self.shape(|field| field.text.clone()))
    }

    fn given(&self, place: usize) -> String {
        let parts: Vec<String> =
            self.fields.iter().map(|field| format!("client::Abi::given({})", field.name)).collect();
        let shape = self.shape(|field| field.name.clone());
        format!("            Self::{shape} => client::Given::Variant({place}, vec![{}]),\n", parts.join(", "))
    }

    fn read(&self, place: usize) -> String {
        let shape = self.shape(|_| "client::Abi::from_value(parts.next()?)?".to_owned());
        format!("            {place} => Self::{shape},\n")
    }
}

fn with_abi(name: &str, declared: &str, given: &str, opened: &str, whole: &str) -> String {
    format!(
        "
/// `{name}`.
{declared}
impl client::Abi for {name} {{
    fn given(&self) -> client::Given {{
        {given}
    }}

    fn from_value(value: &client::Value) -> Option<Self> {{
        {opened}
        let whole = {whole};
        parts.next().is_none().then_some(whole)
    }}
}}
"
    )
}
