//! Typed parameters: one declaration gives the struct, how it is read, its defaults and its JSON Schema.

/// Parameters of a plugin; [`parameters!`](crate::parameters!) implements it.
pub trait Parameters: Sized {
    /// The JSON Schema.
    fn schema() -> String;

    /// Reads them from JSON.
    ///
    /// # Errors
    /// Which key is wrong, missing or unknown.
    fn read(json: &str) -> Result<Self, String>;
}

/// No parameters at all.
impl Parameters for () {
    fn schema() -> String {
        r#"{"type":"object"}"#.to_owned()
    }

    fn read(_: &str) -> Result<Self, String> {
        Ok(())
    }
}

/// A type that one parameter can have.
pub trait Field {
    /// Its schema, without the braces.
    fn schema() -> String;
}

macro_rules! fields {
    ($($type:ty => $schema:literal),*) => { $(
        impl Field for $type {
            fn schema() -> String {
                $schema.to_owned()
            }
        }
    )* };
}

fields! {
    bool => r#""type":"boolean""#,
    f64 => r#""type":"number""#,
    u32 => r#""type":"integer","minimum":0,"maximum":4294967295"#,
    u64 => r#""type":"integer","minimum":0"#,
    i64 => r#""type":"integer""#,
    String => r#""type":"string""#
}

impl<T: Field> Field for Vec<T> {
    fn schema() -> String {
        format!(r#""type":"array","items":{{{}}}"#, T::schema())
    }
}

impl<T: Field> Field for Option<T> {
    fn schema() -> String {
        T::schema()
    }
}

/// Declares the parameters of a plugin: fields with documentation and, where they may be left out, a default.
///
/// ```
/// use davy_plugin::{Parameters, parameters};
/// parameters! {
///     /// When requests are too slow.
///     pub struct Slow {
///         /// Seconds.
///         limit: f64,
///         /// Ignored paths.
///         except: Vec<String> = Vec::new(),
///     }
/// }
/// let slow = Slow::read(r#"{ "limit": 0.3 }"#).unwrap();
/// assert_eq!((slow.limit, slow.except.len()), (0.3, 0));
/// assert!(Slow::read("{}").is_err());
/// assert!(Slow::schema().contains(r#""required":["limit"]"#));
/// ```
#[macro_export]
macro_rules! parameters {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $Name:ident { $( $(#[doc = $doc:literal])* $field:ident : $type:ty $(= $default:expr)? ),* $(,)? }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq)]
        $visibility struct $Name { $( $(#[doc = $doc])* pub $field: $type, )* }

        impl $crate::Parameters for $Name {
            fn schema() -> String {
                let mut properties = $crate::serde_json::Map::new();
                let mut required: Vec<&str> = Vec::new();
                $(
                    let schema = format!("{{{}}}", <$type as $crate::Field>::schema());
                    let mut schema: $crate::serde_json::Value = $crate::serde_json::from_str(&schema).unwrap_or_default();
                    let about: &str = concat!($($doc, " "),*).trim();
                    if let Some(schema) = schema.as_object_mut() {
                        schema.insert("description".to_owned(), about.into());
                    }
                    properties.insert(stringify!($field).to_owned(), schema);
                    if $crate::parameters!(@is_required $($default)?) {
                        required.push(stringify!($field));
                    }
                )*
                $crate::serde_json::json!({ "type": "object", "properties": properties, "required": required }).to_string()
            }

            fn read(json: &str) -> Result<Self, String> {
                #[derive($crate::serde::Deserialize)]
                #[serde(crate = "davy_plugin::serde", deny_unknown_fields)]
                struct Given { $( #[serde(default)] $field: Option<$type>, )* }
                let json = if json.trim().is_empty() { "{}" } else { json };
                let given: Given = $crate::serde_json::from_str(json).map_err(|error| format!("parameters: {error}"))?;
                Ok(Self { $( $field: match given.$field {
                    Some(value) => value,
                    None => $crate::parameters!(@default $field $($default)?),
                }, )* })
            }
        }
    };
    (@is_required) => { true };
    (@is_required $default:expr) => { false };
    (@default $field:ident) => { return Err(concat!("the parameter `", stringify!($field), "` is missing").to_owned()) };
    (@default $field:ident $default:expr) => { $default };
}
