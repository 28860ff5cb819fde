//! All tests on a real cluster, in one program so that they are linked once; what they share is the crate's library.

mod admission;
mod causes;
mod children;
mod databases;
mod deletion;
mod examples;
mod exports;
mod exposures;
mod helm;
mod kubectl;
mod life;
mod logins;
mod mounts;
mod nfs;
mod operator;
mod outages;
mod passwords;
mod plugin;
mod refusals;
mod secrecy;
mod still;
mod stuck;
mod transitions;
