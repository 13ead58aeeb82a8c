//! Where a server's programs lie.

use std::env;
use std::path::PathBuf;

use crate::Error;

/// A program that a server needs, and what brings it.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) name: &'static str,
    /// The Debian package, which has this name with most package managers.
    pub(crate) package: &'static str,
    /// Folders off the path in which to look too, best first.
    pub(crate) folders: Vec<PathBuf>,
}

impl Program {
    /// A program on the path, and the Debian package that brings it.
    #[must_use]
    pub const fn new(name: &'static str, package: &'static str) -> Self {
        Self {
            name,
            package,
            folders: Vec::new(),
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The Debian package that brings it.
    #[must_use]
    pub const fn package(&self) -> &'static str {
        self.package
    }

    /// Where it lies.
    ///
    /// # Errors
    ///
    /// When it lies nowhere.
    pub fn find(&self) -> Result<PathBuf, Error> {
        let path = env::var_os("PATH").unwrap_or_default();
        let missing = Error::Missing {
            program: self.name,
            package: self.package,
        };
        self.folders
            .iter()
            .cloned()
            .chain(env::split_paths(&path))
            .map(|folder| folder.join(self.name))
            .find(|candidate| candidate.is_file())
            .ok_or(missing)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_off_the_path_is_looked_into_first() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("sh"), "").unwrap();
        let program = |folders| Program {
            name: "sh",
            package: "none",
            folders,
        };
        let off_the_path = program(vec![folder.path().to_owned()]);
        assert_eq!(off_the_path.find().unwrap(), folder.path().join("sh"));
        let on_the_path = program(Vec::new()).find().unwrap();
        assert_ne!(on_the_path, folder.path().join("sh"));
    }

    #[test]
    fn what_is_nowhere_is_named_with_its_package() {
        let program = Program {
            name: "no-such-program",
            package: "none-such",
            folders: Vec::new(),
        };
        let error = program.find().unwrap_err().to_string();
        assert!(error.contains("no-such-program"), "{error}");
        assert!(error.contains("none-such"), "{error}");
    }
}
