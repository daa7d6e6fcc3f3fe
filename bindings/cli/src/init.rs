//! `davy init`: a commented starter policy that lints clean.

use crate::ExitCode;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{self, PathBuf};

use davy::{Bundle, starter};

use crate::error::Error;
use crate::{Ended, terminal};

const FILE: &str = "rollouts.yaml";

/// Write a commented rollouts.yaml to start from
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where to; made if it does not exist
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The service's name; without it, the directory's
    #[arg(long)]
    name: Option<String>,
}

pub(crate) fn run(args: &Args) -> Ended {
    let name = args.name.clone().unwrap_or_else(|| name_of(args));
    let text = starter(&name);
    // A name that is none may still make a bundle: a comment sign would cut it off.
    match Bundle::from_files([(FILE, &text)]) {
        Ok(bundle) if bundle.service().as_str() == name => {}
        _ => return Err(Error::ServiceName { name }),
    }
    fs::create_dir_all(&args.dir).map_err(Error::write(&args.dir))?;
    let path = args.dir.join(FILE);
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => Error::Exists { path: path.clone() },
        _ => Error::write(&path)(cause),
    })?;
    file.write_all(text.as_bytes()).map_err(Error::write(&path))?;
    let path = path.display();
    terminal::print(&format!(
        "wrote {path}: fit its metrics and environments to {name}, then\n  davy lint {path}\n  davy policy show {path}\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn name_of(args: &Args) -> String {
    let absolute = path::absolute(&args.dir).unwrap_or_else(|_| args.dir.clone());
    absolute.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
