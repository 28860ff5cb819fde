//! Operators of changing counts in simulated time: each starts, gets its Lease, serves, and stops or is
//! killed.

use k8s_openapi::api::coordination::v1::LeaseSpec;
use kube::api::ObjectMeta;
use proptest::{collection::vec, prelude::*};

use super::*;

const INSTALLATION: &str = "todostack-operator";
// In steps of the simulation, a second each.
const VALID: u64 = 13;
const RENEW_DEADLINE: u64 = 11;

// The Leases of a cluster, by name.
#[derive(Default)]
struct Leases {
    all: HashMap<String, Lease>,
    version: u64,
}

impl Leases {
    fn write(&mut self, name: &str, holder: Option<usize>) {
        self.version += 1;
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                resource_version: Some(self.version.to_string()),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(holder.map(|holder| holder.to_string()).unwrap_or_default()),
                lease_duration_seconds: Some(i32::try_from(VALID).unwrap()),
                ..LeaseSpec::default()
            }),
        };
        self.all.insert(name.to_owned(), lease);
    }

    fn list(&self) -> Vec<Lease> {
        self.all.values().cloned().collect()
    }

    fn holder(&self, name: &str) -> Option<String> {
        self.all.get(name).and_then(|lease| lease.spec.as_ref()?.holder_identity.clone())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Outside,
    // The Lease is held; renewed last at this step.
    Holding(u64),
    Serving(u64),
}

struct Process {
    id: usize,
    shard: Shard,
    handover: Handover,
    state: State,
    // The Lease as it was seen last, and since when.
    own: Option<(Option<String>, u64)>,
    // A list that was requested, and is answered later: what it says may be out of date.
    listed: Option<Vec<Lease>>,
    is_cut_off: bool,
}

impl Process {
    fn new(id: usize, shard: Shard) -> Self {
        let handover = Handover::new(INSTALLATION, shard);
        Self { id, shard, handover, state: State::Outside, own: None, listed: None, is_cut_off: false }
    }

    fn lease(&self) -> String {
        self.shard.lease_name(INSTALLATION)
    }

    // One step of the process. Requests and their answers are apart.
    fn step(&mut self, leases: &mut Leases, start: Instant, now: u64) {
        let at = start + Duration::from_secs(now);
        if let State::Holding(renewed) | State::Serving(renewed) = self.state
            && now - renewed >= RENEW_DEADLINE
        {
            (self.state, self.listed) = (State::Outside, None);
        }
        if self.is_cut_off {
            return;
        }
        let name = self.lease();
        match (self.state, self.listed.take()) {
            (State::Outside | State::Holding(_), None) => self.listed = Some(leases.list()),
            (State::Outside, Some(listed)) => {
                let version = leases.all.get(&name).and_then(|lease| lease.metadata.resource_version.clone());
                if self.own.as_ref().is_none_or(|(seen, _)| *seen != version) {
                    self.own = Some((version, now));
                }
                let is_free = leases.holder(&name).unwrap_or_default().is_empty()
                    || self.own.as_ref().is_some_and(|(_, since)| now - since >= VALID);
                if self.handover.may_apply(&listed, at) && is_free {
                    leases.write(&name, Some(self.id));
                    self.state = State::Holding(now);
                }
            }
            (State::Holding(_), Some(listed)) => match self.handover.turn(&listed, at) {
                Turn::Serve => self.renew(leases, &name, now, State::Serving),
                Turn::Wait => self.renew(leases, &name, now, State::Holding),
                Turn::Yield => self.release(leases),
            },
            (State::Serving(_), _) => self.renew(leases, &name, now, State::Serving),
        }
    }

    fn renew(&mut self, leases: &mut Leases, name: &str, now: u64, state: fn(u64) -> State) {
        if leases.holder(name) == Some(self.id.to_string()) {
            leases.write(name, Some(self.id));
            self.state = state(now);
        } else {
            self.state = State::Outside;
        }
    }

    fn release(&mut self, leases: &mut Leases) {
        if self.state != State::Outside {
            leases.write(&self.lease(), None);
        }
        (self.state, self.listed) = (State::Outside, None);
    }
}

#[derive(Clone, Debug)]
enum Change {
    // A process of this shard starts.
    Start(Shard),
    // One ends, and gives its Lease up or not.
    Stop(usize, bool),
    // One cannot reach the API server for some steps.
    CutOff(usize, u64),
}

fn shards() -> impl Strategy<Value = Shard> {
    (1..5_u32).prop_flat_map(|count| (0..count).prop_map(move |index| Shard { count, index }))
}

fn changes() -> impl Strategy<Value = Vec<(Change, u64)>> {
    let change = prop_oneof![
        3 => shards().prop_map(Change::Start),
        2 => (0..8_usize, any::<bool>()).prop_map(|(which, is_clean)| Change::Stop(which, is_clean)),
        1 => (0..8_usize, 1..30_u64).prop_map(|(which, steps)| Change::CutOff(which, steps)),
    ];
    vec((change, 0..20_u64), 1..30)
}

struct Fleet {
    leases: Leases,
    processes: Vec<Process>,
    start: Instant,
    now: u64,
    started: usize,
    // Until when each process is cut off.
    cut_off: HashMap<usize, u64>,
}

impl Fleet {
    fn new() -> Self {
        let (leases, processes) = (Leases::default(), Vec::new());
        Self { leases, processes, start: Instant::now(), now: 0, started: 0, cut_off: HashMap::new() }
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Start(shard) => {
                self.started += 1;
                self.processes.push(Process::new(self.started, *shard));
            }
            Change::Stop(which, is_clean) if *which < self.processes.len() => {
                let mut process = self.processes.remove(*which);
                if *is_clean {
                    process.release(&mut self.leases);
                }
            }
            Change::CutOff(which, steps) if *which < self.processes.len() => {
                self.cut_off.insert(self.processes[*which].id, self.now + steps);
            }
            Change::Stop(..) | Change::CutOff(..) => {}
        }
    }

    // Runs for so many steps; after each, no number is served twice.
    fn run(&mut self, steps: u64) -> Result<(), TestCaseError> {
        for _ in 0..steps {
            self.now += 1;
            for at in 0..self.processes.len() {
                let process = &mut self.processes[at];
                process.is_cut_off = self.cut_off.get(&process.id).is_some_and(|until| *until > self.now);
                process.step(&mut self.leases, self.start, self.now);
                for number in 0..12 {
                    let serving = self.serving(number);
                    prop_assert!(serving.len() <= 1, "{} is served by {:?}", number, serving);
                }
            }
        }
        Ok(())
    }

    fn serving(&self, number: u32) -> Vec<Shard> {
        let has = |shard: Shard| number % shard.count == shard.index;
        let serving =
            self.processes.iter().filter(|it| matches!(it.state, State::Serving(_)) && has(it.shard));
        serving.map(|it| it.shard).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn no_stack_is_served_twice_and_each_is_served_soon_after_the_last_change(
        changes in changes(), count in 1..5_u32,
    ) {
        let mut fleet = Fleet::new();
        for (change, steps) in changes {
            fleet.change(&change);
            fleet.run(steps)?;
        }
        // At last all are replaced by those of one count.
        while !fleet.processes.is_empty() {
            fleet.change(&Change::Stop(0, fleet.now.is_multiple_of(2)));
            fleet.run(2)?;
        }
        for index in 0..count {
            fleet.change(&Change::Start(Shard { count, index }));
        }
        // What was not given up expires, and a few requests follow.
        fleet.run(VALID + 6)?;
        for number in 0..12 {
            prop_assert_eq!(fleet.serving(number).len(), 1, "{} is not served", number);
        }
    }

    // As with `helm upgrade` of one release after the other: the new ones start beside the old ones.
    #[test]
    fn a_change_of_the_count_leaves_stacks_unserved_for_seconds(before in 1..5_u32, after in 1..5_u32) {
        let mut fleet = Fleet::new();
        for index in 0..before {
            fleet.change(&Change::Start(Shard { count: before, index }));
        }
        fleet.run(8)?;
        prop_assert!((0..12).all(|number| fleet.serving(number).len() == 1));
        for index in 0..after {
            fleet.change(&Change::Start(Shard { count: after, index }));
            fleet.run(20)?;
            prop_assert!((0..12).all(|number| fleet.serving(number).len() == 1), "the old ones go on");
        }
        for _ in 0..before {
            fleet.change(&Change::Stop(0, true));
        }
        fleet.run(6)?;
        prop_assert!((0..12).all(|number| fleet.serving(number).len() == 1));
    }
}
