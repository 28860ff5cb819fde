//! All tests on a real cluster, in one program so that they are linked once; what they share is the crate's library.

mod causes;
mod children;
mod deletion;
mod examples;
mod exports;
mod helm;
mod kubectl;
mod life;
mod nfs;
mod operator;
mod plugin;
mod refusals;
mod stuck;
