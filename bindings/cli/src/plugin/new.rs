//! `davy plugin new`: a plugin to start from.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use davy::Name;
use davy_plugins::{World, build};

use super::template::Language;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::{Ended, terminal};

/// Write a plugin to start from: a metric that works, with a page that says how it is built
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Its name, and that of its folder, such as `queue-headroom`
    name: Name,
    /// The language
    #[arg(long, value_enum, default_value = "rust")]
    language: Language,
    /// Where the folder is made
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Of Rust, a folder with the crate `davy-plugin`, in place of the released one
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

/// What the templates are called.
const NAME: &str = "queue-headroom";

pub(crate) fn run(args: &Args) -> Ended {
    let (name, language) = (args.name.as_str(), args.language);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
        return Err(Error::PluginName { name: name.to_owned() });
    }
    let folder = args.dir.join(name);
    if folder.exists() {
        return Err(Error::Exists { path: folder });
    }
    let renamed = |text: &str| text.replace(NAME, name).replace(&NAME.replace('-', "_"), &name.replace('-', "_"));
    for (path, text) in language.files() {
        let text = if language.is_renamed() || path.ends_with(".md") { renamed(text) } else { (*text).to_owned() };
        write(&folder.join(renamed(path)), &own(args, &text))?;
    }
    if language.needs_worlds() {
        for (world, file) in [(World::Metric, "metric.wit"), (World::ProbeStep, "probe-step.wit")] {
            write(&folder.join("wit").join(file), build::wit(world))?;
        }
    }
    let shown = folder.display();
    terminal::print(&format!("wrote {shown}: its README.md says how it is tested and built\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// A template's text outside of davy's repository.
fn own(args: &Args, text: &str) -> String {
    let sdk = match &args.sdk {
        Some(path) => {
            let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            format!("davy-plugin = {{ path = {:?} }}", path.display().to_string())
        }
        None => "davy-plugin = \"0.1\"".to_owned(),
    };
    text.replace("# Within davy's repository; elsewhere: davy-plugin = \"0.1\"\n", "")
        .replace("davy-plugin = { path = \"../../sdk\" }", &sdk)
        .replace("plugins/wit", "wit")
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::write(parent))?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => Error::Exists { path: path.to_owned() },
        _ => Error::write(path)(cause),
    })?;
    file.write_all(text.as_bytes()).map_err(Error::write(path))
}
