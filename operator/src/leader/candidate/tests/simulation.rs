//! Replicas, their clocks, their requests and the API server. What is tried with them is in `tests.rs`.

use super::super::*;

pub(super) const TIMINGS: Timings = Timings {
    lease: Duration::from_secs(13),
    renew_deadline: Duration::from_secs(11),
    retry: Duration::from_secs(2),
};
pub(super) const TICK: Duration = Duration::from_millis(20);
pub(super) const SECOND: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Server {
    pub(super) lease: Option<Lease>,
    version: u64,
}

impl Server {
    // As the API server answers: a write of another version than the stored one is a conflict.
    pub(super) fn serve(&mut self, request: &Request) -> Answer {
        let stored = self.lease.as_ref().and_then(|lease| lease.metadata.resource_version.clone());
        let Request::Write(lease) = request else {
            return self.lease.clone().map_or(Answer::Missing, |lease| Answer::Lease(Box::new(lease)));
        };
        match (&lease.metadata.resource_version, stored) {
            (Some(_), None) => return Answer::Missing,
            (sent, stored) if *sent != stored => return Answer::Conflict,
            _ => {}
        }
        let mut lease = lease.clone();
        // An update that changes nothing is not stored.
        if self.lease.as_ref().is_none_or(|stored| stored.spec != lease.spec) {
            self.version += 1;
        }
        lease.metadata.resource_version = Some(self.version.to_string());
        self.lease = Some(*lease.clone());
        Answer::Lease(lease)
    }
}

// What happens to one request. None: it is lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transport {
    pub(super) request: Option<Duration>,
    pub(super) answer: Option<Duration>,
}

pub(super) const QUICK: Transport = Transport { request: Some(TICK), answer: Some(TICK) };

pub(super) struct Flight {
    request: Request,
    sent: Instant,
    transport: Transport,
    // In the time of the simulation.
    sent_at: Duration,
    answer: Option<(Answer, Duration)>,
    has_arrived: bool,
}

pub(super) struct Replica {
    pub(super) candidate: Candidate,
    rate: f64,
    pub(super) wall: Timestamp,
    pub(super) flight: Option<Flight>,
    wake: Instant,
    pub(super) paused_until: Duration,
    pub(super) is_killed: bool,
}

pub(super) struct Simulation {
    start: Instant,
    pub(super) now: Duration,
    pub(super) server: Server,
    pub(super) replicas: Vec<Replica>,
}

impl Simulation {
    pub(super) fn new(rates: &[f64]) -> Self {
        let start = crate::clock::timer();
        let replicas = rates.iter().enumerate().map(|(index, rate)| Replica {
            candidate: Candidate::new(format!("pod-{index}"), TIMINGS),
            rate: *rate,
            wall: Timestamp::UNIX_EPOCH,
            flight: None,
            wake: start,
            paused_until: Duration::ZERO,
            is_killed: false,
        });
        Self { start, now: Duration::ZERO, server: Server::default(), replicas: replicas.collect() }
    }

    fn local(&self, replica: &Replica) -> Instant {
        self.start + self.now.mul_f64(replica.rate)
    }

    // Those whose writes pass the fence, or may still be under way.
    pub(super) fn writers(&self) -> Vec<usize> {
        let is_writer = |replica: &Replica| {
            !replica.is_killed
                && replica.candidate.term().is_some_and(|term| self.local(replica) < term.end_by)
        };
        (0..self.replicas.len()).filter(|index| is_writer(&self.replicas[*index])).collect()
    }

    pub(super) fn leader(&self) -> Option<usize> {
        let is_leader = |replica: &Replica| {
            replica.candidate.term().is_some_and(|term| self.local(replica) < term.start_until)
        };
        self.writers().into_iter().find(|index| is_leader(&self.replicas[*index]))
    }

    fn tick(&mut self, transport: &mut impl FnMut() -> Transport) {
        self.now += TICK;
        for index in 0..self.replicas.len() {
            let now = self.local(&self.replicas[index]);
            let Self { replicas, server, now: time, .. } = self;
            replicas[index].step(now, (*time, server, &mut *transport));
        }
        let writers = self.writers();
        assert!(writers.len() <= 1, "{writers:?} write at {:?}", self.now);
    }

    pub(super) fn run(&mut self, duration: Duration, transport: &mut impl FnMut() -> Transport) {
        let end = self.now + duration;
        while self.now < end {
            self.tick(transport);
        }
    }

    pub(super) fn run_quietly(&mut self, duration: Duration) {
        self.run(duration, &mut || QUICK);
    }

    // How long it takes until one leads.
    pub(super) fn until_led(&mut self) -> Duration {
        let start = self.now;
        while self.leader().is_none() {
            self.tick(&mut || QUICK);
            assert!(self.now < start + 60 * SECOND, "nobody leads");
        }
        self.now.saturating_sub(start)
    }
}

impl Replica {
    fn step(&mut self, now: Instant, world: (Duration, &mut Server, &mut impl FnMut() -> Transport)) {
        let (time, server, transport) = world;
        // What was sent arrives whatever becomes of the sender.
        if let Some(flight) = &mut self.flight
            && !flight.has_arrived
            && flight.transport.request.is_some_and(|delay| time >= flight.sent_at + delay)
        {
            flight.has_arrived = true;
            let answer = server.serve(&flight.request);
            flight.answer = flight.transport.answer.map(|delay| (answer, time + delay));
        }
        if self.is_killed || time < self.paused_until {
            return;
        }
        if let Some(flight) = self.flight.take() {
            let answer = match &flight.answer {
                Some((answer, at)) if time >= *at => answer.clone(),
                _ if now >= flight.sent + TIMINGS.request() => Answer::Failed,
                _ => {
                    self.flight = Some(flight);
                    return;
                }
            };
            self.candidate.receive(&flight.request, answer, flight.sent, now);
            self.wake = self.candidate.wake(now);
        } else if now >= self.wake {
            self.candidate.expire(now);
            let request = self.candidate.request(now, self.wall);
            let (transport, sent_at) = (transport(), time);
            let flight = Flight { request, sent: now, transport, sent_at, answer: None, has_arrived: false };
            self.flight = Some(flight);
        }
    }
}
