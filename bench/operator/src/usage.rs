//! Memory and CPU time of a process, from /proc.

use anyhow::Context as _;

/// Clock ticks of /proc/PID/stat in a second: Linux reports 100 to every program.
const TICKS: f64 = 100.0;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Seconds of all threads, in user mode and in the kernel.
    pub(crate) cpu: f64,
    /// Resident memory now, MiB.
    pub(crate) resident: f64,
    /// The most that it ever was, MiB.
    pub(crate) peak: f64,
}

pub(crate) fn read(pid: u32) -> anyhow::Result<Usage> {
    let stat = fs_err::read_to_string(format!("/proc/{pid}/stat"))?;
    let status = fs_err::read_to_string(format!("/proc/{pid}/status"))?;
    parse(&stat, &status).with_context(|| format!("/proc/{pid} has another format than expected"))
}

fn parse(stat: &str, status: &str) -> Option<Usage> {
    // The second field is the program's name in brackets, which may hold spaces and brackets itself.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    let mebibytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
    };
    Some(Usage {
        cpu: (ticks(11)? + ticks(12)?) / TICKS,
        resident: mebibytes("VmRSS:")?,
        peak: mebibytes("VmHWM:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_program_name() {
        let stat = format!("7 (a b) c) S {} 150 50 0", ["0"; 10].join(" "));
        let usage = parse(&stat, "VmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n").unwrap();
        assert_eq!((usage.cpu, usage.resident, usage.peak), (2.0, 1.0, 2.0));
    }
}
