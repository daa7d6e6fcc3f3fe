//! How a document type is declared: once, with `record!` or `keywords!`. Its decoder, its JSON Schema and
//! its defaults come from that one declaration and so cannot disagree.

/// Declares a mapping of a document: the struct, its decoder, its schema and its defaults.
///
/// A field is `required`, `optional` or has a `default (value)`; the part after `later` is read and
/// checked but refused, because its gate does not exist yet. `short "key"` also accepts that key's
/// value alone; `, blank` adds `at`, for records in which every key may be left out.
macro_rules! record {
    (
        $(#[doc = $doc:literal])*
        pub struct $Name:ident $(short $short:literal)? $(, $blank:ident)? {
            $( $(#[doc = $field_doc:literal])* $field:ident : $T:ty = $key:literal, $kind:ident $(($default:expr))? ; )*
        }
        $( later { $( $(#[doc = $later_doc:literal])* $later_key:literal : $Later:ty ; )* } )?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Name {
            $( $(#[doc = $field_doc])* pub $field: $crate::document::declare::record!(@type $kind $T), )*
            /// Where the mapping begins.
            pub position: $crate::document::Position,
            /// Whether nothing in it was refused. What spans several keys is checked only then, so that
            /// one slip is not reported as several.
            pub(crate) whole: bool,
        }

        impl $Name {
            $crate::document::declare::record!(@blank [$($blank)?] $($field)*);
            $( $crate::document::declare::record!(@default $kind $field [$T] $(($default))?); )*
        }

        impl $crate::document::decode::Decode for $Name {
            fn decode(
                node: &$crate::document::yaml::Node,
                report: &mut $crate::document::decode::Report,
            ) -> Option<Self> {
                const KEYS: &[&str] = &[$($key,)* $($($later_key,)*)?];
                $(
                    let long_form = $crate::document::decode::long_form($short, node);
                    let node = long_form.as_ref().unwrap_or(node);
                )?
                let entries = $crate::document::decode::mapping(node, concat!("a mapping with", $(" `", $key, "`",)*), report)?;
                let before = report.diagnostics.len();
                $( let mut $field: Option<$crate::document::Spanned<$T>> = None; )*
                for (key, value) in entries {
                    match key.text.as_str() {
                        $( $key => $field = $crate::document::decode::Decode::decode(value, report), )*
                        $($( $later_key => {
                            let _: Option<$Later> = $crate::document::decode::Decode::decode(value, report);
                            $crate::document::decode::not_supported_yet($later_key, &key.position, report);
                        } )*)?
                        _ => $crate::document::decode::unknown_key(key, KEYS, report),
                    }
                }
                $( $crate::document::declare::record!(@check $kind $key entries node report); )*
                Some(Self {
                    $( $field: $crate::document::declare::record!(@take $kind $field), )*
                    position: node.position.clone(),
                    whole: report.diagnostics.len() == before,
                })
            }

            fn schema(definitions: &mut $crate::document::decode::Definitions) -> serde_json::Value {
                let long_form = definitions.reference(stringify!($Name), |definitions| {
                    let mut properties = serde_json::Map::new();
                    $( {
                        let schema = <$T as $crate::document::decode::Decode>::schema(definitions);
                        let schema = $crate::document::schema::describe(schema, concat!($($field_doc, "\n",)*), $crate::document::declare::record!(@shown $kind $(($default))?));
                        properties.insert($key.to_owned(), schema);
                    } )*
                    $($( {
                        let schema = <$Later as $crate::document::decode::Decode>::schema(definitions);
                        let schema = $crate::document::schema::describe(schema, concat!($($later_doc, "\n",)* " Not supported yet."), None);
                        properties.insert($later_key.to_owned(), schema);
                    } )*)?
                    let required: Vec<&str> = [$( $crate::document::declare::record!(@required $kind $key) ),*].into_iter().flatten().collect();
                    $crate::document::schema::object(concat!($($doc, "\n",)*), properties, &required)
                });
                $( let long_form = serde_json::json!({ "anyOf": [long_form, { "type": "string", "description": concat!("Short for `", $short, "` alone.") }] }); )?
                long_form
            }
        }

        impl $crate::document::decode::Refine for $Name {
            fn refined_by(&self, finer: &Self) -> Self {
                Self {
                    $( $field: $crate::document::declare::record!(@refine $kind self finer $field), )*
                    position: finer.position.clone(),
                    whole: self.whole && finer.whole,
                }
            }
        }
    };

    (@blank [] $($field:ident)*) => {};
    (@blank [blank] $($field:ident)*) => {
        /// One that says nothing, so that every default holds.
        pub(crate) fn at(position: &$crate::document::Position) -> Self {
            Self { $($field: None,)* position: position.clone(), whole: true }
        }
    };
    (@type required $T:ty) => { $crate::document::Spanned<$T> };
    (@type $kind:ident $T:ty) => { Option<$crate::document::Spanned<$T>> };

    (@default default $field:ident [$T:ty] ($default:expr)) => {
        /// What the document says, or the default.
        #[must_use]
        pub fn $field(&self) -> $T {
            self.$field.as_ref().map_or_else(|| $default, |spanned| spanned.value.clone())
        }
    };
    (@default $kind:ident $field:ident [$T:ty]) => {};

    (@check required $key:literal $entries:ident $node:ident $report:ident) => {
        if !$entries.iter().any(|(key, _)| key.text == $key) {
            $report.error(
                $crate::document::DiagnosticCode::MissingKey,
                &$node.position,
                concat!("the key `", $key, "` is missing"),
                None,
            );
        }
    };
    (@check $kind:ident $key:literal $entries:ident $node:ident $report:ident) => {};

    (@take required $field:ident) => { $field? };
    (@take $kind:ident $field:ident) => { $field };

    (@shown default ($default:expr)) => { serde_json::to_value($default).ok() };
    (@shown $kind:ident) => { None };

    (@required required $key:literal) => { Some($key) };
    (@required $kind:ident $key:literal) => { None };

    (@refine required $self:ident $finer:ident $field:ident) => { $finer.$field.clone() };
    (@refine $kind:ident $self:ident $finer:ident $field:ident) => { $finer.$field.clone().or_else(|| $self.$field.clone()) };
}
pub(crate) use record;

/// Declares a closed set of words: the enum, its decoder and its schema.
macro_rules! keywords {
    (
        $(#[doc = $doc:literal])*
        pub enum $Name:ident { $( $(#[doc = $variant_doc:literal])* $Variant:ident = $word:literal, )* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $Name { $( $(#[doc = $variant_doc])* #[serde(rename = $word)] $Variant, )* }

        impl $Name {
            /// Every word, in the order of the documentation.
            pub const ALL: &'static [$Name] = &[$( Self::$Variant, )*];

            /// The word as documents write it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$Variant => $word, )* }
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::document::decode::Scalar for $Name {
            const EXPECTED: &'static str = $crate::document::declare::one_of!($($word),*);
            fn read(scalar: &$crate::document::yaml::Scalar) -> Result<Self, $crate::document::decode::Refusal> {
                match scalar.text.as_str() {
                    $( $word => Ok(Self::$Variant), )*
                    other => Err($crate::document::decode::Refusal::Keyword(
                        $crate::document::diagnostic::did_you_mean(other, [$($word),*]),
                    )),
                }
            }
            fn schema() -> serde_json::Value {
                serde_json::json!({
                    "description": concat!($("`", $word, "`:", $($variant_doc,)* "\n",)*),
                    "enum": [$($word),*],
                })
            }
        }
    };
}
pub(crate) use keywords;

macro_rules! one_of {
    ($first:literal $(, $word:literal)*) => { concat!("`", $first, "`" $(, " or `", $word, "`")*) };
}
pub(crate) use one_of;
