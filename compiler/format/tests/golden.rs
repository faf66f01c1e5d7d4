//! Sources on the left of the eye, what they become on the right: one snapshot for each file of `golden`.

use std::fs;
use std::path::Path;

#[test]
fn sources_look_as_they_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    names.sort();
    assert!(names.len() >= 5, "{names:?}");
    for path in names {
        let text = fs::read_to_string(&path).unwrap();
        let pretty = format::format(&text).unwrap_or_else(|wrong| panic!("{}: {wrong:?}", path.display()));
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "golden", omit_expression => true }, {
            insta::assert_snapshot!(name, pretty);
        });
    }
}
