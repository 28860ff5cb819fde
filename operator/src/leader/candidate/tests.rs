//! Replicas in simulated time: requests and answers that are slow or lost, processes that are paused or
//! killed, clocks of different speed, and wall clocks that jump.

use proptest::{collection::vec, prelude::*};
use rstest::rstest;

use self::simulation::{SECOND, Simulation, TICK, Transport};
use super::*;

mod simulation;

#[derive(Clone, Debug)]
enum Event {
    Pause(usize, u64),
    JumpWallClock(usize, i64),
    Nothing,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (0..3_usize, 1..30_u64).prop_map(|(replica, seconds)| Event::Pause(replica, seconds)),
        1 => (0..3_usize, -9999..9999_i64).prop_map(|(replica, to)| Event::JumpWallClock(replica, to)),
        3 => Just(Event::Nothing),
    ]
}

fn transport() -> impl Strategy<Value = Transport> {
    let delay = || {
        prop_oneof![
            6 => Just(Some(TICK)),
            2 => (0..8000_u64).prop_map(|ms| Some(Duration::from_millis(ms))),
            1 => Just(None),
        ]
    };
    (delay(), delay()).prop_map(|(request, answer)| Transport { request, answer })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn two_never_write_at_once_and_one_leads_again_in_time(
        rates in vec(0.98..1.02_f64, 3),
        transports in vec(transport(), 1..60),
        events in vec(event(), 20),
    ) {
        let mut simulation = Simulation::new(&rates);
        let mut transports = transports.iter().copied().cycle();
        for event in events {
            match event {
                Event::Pause(replica, seconds) => {
                    simulation.replicas[replica].paused_until = simulation.now + Duration::from_secs(seconds);
                }
                Event::JumpWallClock(replica, second) => {
                    simulation.replicas[replica].wall = Timestamp::from_second(second).unwrap();
                }
                Event::Nothing => {}
            }
            simulation.run(3 * SECOND, &mut || transports.next().unwrap());
        }
        simulation.run_quietly(45 * SECOND);
        let leader = simulation.leader().expect("one leads when all is quiet");
        simulation.replicas[leader].is_killed = true;
        let taken = simulation.until_led();
        prop_assert!(taken <= 15 * SECOND, "{taken:?}");
    }
}

#[rstest]
#[case::released(true, 2 * SECOND)]
#[case::killed(false, 15 * SECOND)]
fn another_replica_takes_over(#[case] is_released: bool, #[case] limit: Duration) {
    // At every moment between two renewals.
    for offset in 0..100 {
        let mut simulation = Simulation::new(&[1.0, 1.0]);
        simulation.run_quietly(10 * SECOND + TICK * offset);
        let leader = simulation.leader().unwrap();
        let replica = &mut simulation.replicas[leader];
        if is_released {
            // A request that is under way ends first.
            let Some(lease) = replica.candidate.released(replica.wall) else { unreachable!() };
            if replica.flight.is_some() {
                continue;
            }
            simulation.server.serve(&Request::Write(Box::new(lease)));
        }
        simulation.replicas[leader].is_killed = true;
        let taken = simulation.until_led();
        assert!(taken <= limit, "{taken:?} at {offset}");
    }
}

#[test]
fn a_leader_with_slow_answers_goes_on_leading() {
    let slow = Transport { request: Some(TICK), answer: Some(5 * SECOND) };
    let mut simulation = Simulation::new(&[1.0]);
    simulation.until_led();
    for _ in 0..300 {
        simulation.run(SECOND, &mut || slow);
        assert!(simulation.leader().is_some(), "at {:?}", simulation.now);
    }
}

#[test]
fn a_lease_that_is_deleted_lets_no_two_lead() {
    let mut simulation = Simulation::new(&[1.0, 1.0]);
    simulation.run_quietly(10 * SECOND);
    let leader = simulation.leader().unwrap();
    simulation.replicas[leader].paused_until = simulation.now + 40 * SECOND;
    simulation.server.lease = None;
    simulation.run_quietly(20 * SECOND);
    let next = simulation.leader().unwrap();
    assert_ne!(next, leader);
    simulation.run_quietly(40 * SECOND);
    assert_eq!(simulation.leader(), Some(next));
}

#[test]
fn nobody_leads_without_an_answer() {
    let mut simulation = Simulation::new(&[1.0, 1.0]);
    simulation.run_quietly(10 * SECOND);
    let lost = Transport { request: None, answer: None };
    simulation.run(13 * SECOND, &mut || lost);
    assert_eq!(simulation.writers(), Vec::<usize>::new());
}

#[test]
fn the_lease_tells_people_who_holds_it_since_when() {
    let mut simulation = Simulation::new(&[1.0, 1.0]);
    simulation.run_quietly(10 * SECOND);
    let first = simulation.leader().unwrap();
    let spec = |simulation: &Simulation| simulation.server.lease.clone().unwrap().spec.unwrap();
    let before = spec(&simulation);
    assert_eq!(before.holder_identity, Some(format!("pod-{first}")));
    assert_eq!((before.lease_duration_seconds, before.lease_transitions), (Some(13), Some(1)));
    simulation.run_quietly(10 * SECOND);
    assert_eq!(spec(&simulation).acquire_time, before.acquire_time);
    simulation.replicas[first].is_killed = true;
    let next = 1 - first;
    simulation.replicas[next].wall = Timestamp::from_second(99).unwrap();
    simulation.until_led();
    let after = spec(&simulation);
    assert_eq!((after.holder_identity, after.lease_transitions), (Some(format!("pod-{next}")), Some(2)));
    assert_eq!(after.acquire_time, Some(MicroTime(Timestamp::from_second(99).unwrap())));
}

#[rstest]
#[case::in_order(13, 11, 2, true)]
#[case::no_time_for_the_last_write(13, 13, 2, false)]
#[case::no_second_try(13, 4, 2, false)]
#[case::without_pause(13, 11, 0, false)]
fn timings_leave_time_for_the_last_write_and_for_a_second_try(
    #[case] lease: u64,
    #[case] renew_deadline: u64,
    #[case] retry: u64,
    #[case] is_valid: bool,
) {
    let [lease, renew_deadline, retry] = [lease, renew_deadline, retry].map(Duration::from_secs);
    assert_eq!(Timings { lease, renew_deadline, retry }.validate().is_ok(), is_valid);
}
