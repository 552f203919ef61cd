//! Mounted file systems: which there are, from `/proc/1/mountinfo` (its form is in
//! proc_pid_mountinfo(5)), and how full they are. How they are asked, and what becomes of one that does
//! not answer, is `asking`'s to know.

pub(super) mod asking;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;

use super::super::family::{Family, Labels};
use super::files::{Error, Text, Tree};
use crate::names;
use asking::{Asking, Space};

/// A mounted file system that is exposed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    device: String,
    fstype: String,
    mountpoint: String,
    major: String,
    minor: String,
    readonly: bool,
}

pub(super) fn filesystem(tree: &Tree, asking: &Asking) -> Result<Vec<Family>, Error> {
    // The first process sees the host's mounts where this one may be in a namespace of its own. Where
    // it may not be looked at, this one's have to do.
    let text = tree.proc("1/mountinfo").or_else(|_| tree.proc("self/mountinfo"))?;
    let mounts = mounts(&text)?;
    let spaces = asking.ask(mounts.iter().map(|mount| PathBuf::from(&mount.mountpoint)).collect());
    Ok(families(&mounts, &spaces))
}

fn mounts(text: &Text) -> Result<Vec<Mount>, Error> {
    let mut seen = BTreeSet::new();
    let mut mounts = Vec::new();
    for line in text.lines() {
        let mount = mount(line)
            .ok_or_else(|| text.malformed("lines such as `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw`"))?;
        let excluded = is_excluded_type(&mount.fstype) || is_excluded_place(&mount.mountpoint);
        // One place can be mounted over and over; the labels would be the same.
        let labels = (mount.device.clone(), mount.fstype.clone(), mount.mountpoint.clone());
        if !excluded && seen.insert(labels) {
            mounts.push(mount);
        }
    }
    Ok(mounts)
}

fn mount(line: &str) -> Option<Mount> {
    // A hyphen ends a list of fields of unknown length.
    let (place, system) = line.split_once(" - ")?;
    let mut place = place.split_ascii_whitespace().skip(2);
    let (major, minor) = place.next()?.split_once(':')?;
    let (_root, mountpoint, options) = (place.next()?, place.next()?, place.next()?);
    let mut system = system.split(' ');
    // The source may be empty.
    let (fstype, device, system_options) = (system.next()?, system.next()?, system.next()?);
    let readonly = [options, system_options].iter().any(|options| options.split(',').any(|option| option == "ro"));
    let owned = str::to_owned;
    Some(Mount {
        device: owned(device),
        fstype: owned(fstype),
        mountpoint: unescape(mountpoint),
        major: owned(major),
        minor: owned(minor),
        readonly,
    })
}

/// The kernel writes what would break the line as `\` and three octal digits.
fn unescape(text: &str) -> String {
    let escapes = [(r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", r"\")];
    if !text.contains('\\') {
        return text.to_owned();
    }
    // The backslash comes last, so that what it leads to is not read again.
    escapes.iter().fold(text.to_owned(), |text, (escape, character)| text.replace(escape, character))
}

/// Where node_exporter does not look unless told otherwise.
fn is_excluded_place(mountpoint: &str) -> bool {
    let below =
        |folder: &str| mountpoint.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/') && rest.len() > 1);
    let first = mountpoint.strip_prefix('/').and_then(|path| path.split('/').next());
    first.is_some_and(|first| ["dev", "proc", "run", "sys", "mnt", "media"].contains(&first))
        || below("/var/lib/docker")
        || below("/var/lib/containers/storage")
}

/// What node_exporter does not take for a file system unless told otherwise.
fn is_excluded_type(fstype: &str) -> bool {
    const TYPES: [&str; 25] = [
        "autofs",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "erofs",
        "fusectl",
        "hugetlbfs",
        "iso9660",
        "mqueue",
        "nsfs",
        "overlay",
        "proc",
        "procfs",
        "pstore",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "squashfs",
        "sysfs",
        "tracefs",
    ];
    TYPES.contains(&fstype)
}

fn families(mounts: &[Mount], spaces: &[Result<Space, String>]) -> Vec<Family> {
    let mut info = Family::gauge(names::NODE_FILESYSTEM_MOUNT_INFO);
    let mut readonly = Family::gauge(names::NODE_FILESYSTEM_READONLY);
    let mut device_error = Family::gauge(names::NODE_FILESYSTEM_DEVICE_ERROR);
    let mut numbers = [
        Family::gauge(names::NODE_FILESYSTEM_SIZE),
        Family::gauge(names::NODE_FILESYSTEM_FREE),
        Family::gauge(names::NODE_FILESYSTEM_AVAIL),
        Family::gauge(names::NODE_FILESYSTEM_FILES),
        Family::gauge(names::NODE_FILESYSTEM_FILES_FREE),
    ];
    for (mount, space) in mounts.iter().zip(spaces) {
        let (device, mountpoint) = (("device", mount.device.clone()), ("mountpoint", mount.mountpoint.clone()));
        let identity = [device, ("fstype", mount.fstype.clone()), mountpoint];
        let labels: Labels = match space {
            Ok(_) => Rc::new(identity),
            Err(error) => identity.into_iter().chain([("device_error", error.clone())]).collect(),
        };
        readonly.push(&labels, f64::from(mount.readonly));
        device_error.push(&labels, f64::from(space.is_err()));
        let [device, _, mountpoint] = [0, 1, 2].map(|index| labels[index].clone());
        info.push(
            &Labels::from([device, ("major", mount.major.clone()), ("minor", mount.minor.clone()), mountpoint]),
            1.0,
        );
        if let Ok(space) = space {
            let values = [space.size, space.free, space.available, space.files, space.files_free];
            numbers.iter_mut().zip(values).for_each(|(family, value)| family.push(&labels, value));
        }
    }
    numbers.into_iter().chain([readonly, device_error, info]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::lines;
    use super::*;

    #[test]
    fn a_line_becomes_a_mount_with_its_name_as_it_is() {
        let line = r"36 35 98:0 /mnt1 /mnt2\040with\134040space ro,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue";
        let mount = mount(line).unwrap();
        assert_eq!(mount.mountpoint, r"/mnt2 with\040space");
        assert_eq!((mount.device.as_str(), mount.fstype.as_str(), mount.readonly), ("/dev/root", "ext3", true));
        assert_eq!((mount.major.as_str(), mount.minor.as_str()), ("98", "0"));
    }

    #[test]
    fn what_holds_no_data_is_left_out_and_a_mount_is_told_once() {
        let text = "22 27 0:21 / /proc rw - proc proc rw\n\
                    27 1 254:0 / / rw - ext4 /dev/vda rw\n\
                    28 1 254:0 / / rw - ext4 /dev/vda rw\n\
                    29 27 0:27 / /mnt/usb rw - vfat /dev/sdb rw\n\
                    30 27 0:28 / /var/lib/docker/overlay2/x rw - xfs /dev/sdc rw\n\
                    31 27 0:28 / /var/lib/docker rw - xfs /dev/sdc rw\n\
                    32 27 0:29 / /mntx rw - tmpfs  rw\n";
        let mounts = mounts(&Text::of(text)).unwrap();
        let places: Vec<_> = mounts.iter().map(|mount| (mount.mountpoint.as_str(), mount.device.as_str())).collect();
        assert_eq!(places, [("/", "/dev/vda"), ("/var/lib/docker", "/dev/sdc"), ("/mntx", "")]);
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let whole = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw";
        for end in (1..whole.len() - 1).filter(|end| whole.is_char_boundary(*end)) {
            let text = Text::of(whole.get(..end).unwrap());
            let cut = mounts(&text);
            assert!(cut.is_err() || text.as_str().ends_with("/dev/vda "), "{text:?}");
        }
    }

    #[test]
    fn one_that_cannot_be_asked_says_so_and_gives_no_numbers() {
        let text = Text::of("1 1 8:1 / /a rw - ext4 /dev/sda1 rw\n2 1 0:40 / /b ro - nfs4 host:/b rw\n");
        let mounts = mounts(&text).unwrap();
        let space = Space { size: 5.0, free: 4.0, available: 3.0, files: 2.0, files_free: 1.0 };
        let lines = lines(&families(&mounts, &[Ok(space), Err("mountpoint timeout".to_owned())]));
        for line in [
            r#"node_filesystem_avail_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/a"} 3.0"#,
            r#"node_filesystem_device_error{device="/dev/sda1",fstype="ext4",mountpoint="/a"} 0.0"#,
            r#"node_filesystem_device_error{device="host:/b",fstype="nfs4",mountpoint="/b",device_error="mountpoint timeout"} 1.0"#,
            r#"node_filesystem_readonly{device="host:/b",fstype="nfs4",mountpoint="/b",device_error="mountpoint timeout"} 1.0"#,
            r#"node_filesystem_mount_info{device="host:/b",major="0",minor="40",mountpoint="/b"} 1.0"#,
        ] {
            assert!(lines.contains(&line.to_owned()), "{line} is not in {lines:#?}");
        }
        assert!(!lines.iter().any(|line| line.starts_with("node_filesystem_size_bytes") && line.contains("/b")));
    }
}
