//! Opens a port for clients of IPv4 and IPv6. Serving on it is the program's.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use rustix::io::Errno;
use socket2::{Domain, Socket, Type};

/// Connections that wait to be accepted; the kernel has a limit of its own.
const BACKLOG: i32 = 1_024;

/// Listens on an address, without blocking. `[::]` is for clients of both families, whatever the machine's
/// setting (`net.ipv6.bindv6only`), and `0.0.0.0` where the kernel has no IPv6.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    bind_with(address, open)
}

fn bind_with<T>(address: SocketAddr, open: impl Fn(SocketAddr) -> io::Result<T>) -> io::Result<T> {
    match open(address) {
        Err(error) if address.is_ipv6() && address.ip().is_unspecified() && lacks_ipv6(&error) => {
            let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
            tracing::warn!(%error, %listen, "IPv6 is not available: listening for clients of IPv4 only");
            open(listen)
        }
        opened => opened,
    }
}

fn lacks_ipv6(error: &io::Error) -> bool {
    // Of a kernel without the protocol (`ipv6.disable=1`), and of one without an address.
    error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error())
        || error.kind() == ErrorKind::AddrNotAvailable
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // After a restart, connections of the process before may still be closing.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv6Addr, TcpStream};

    use rstest::rstest;

    use super::*;

    fn refusing(error: Errno) -> impl Fn(SocketAddr) -> io::Result<SocketAddr> {
        move |address| if address.is_ipv6() { Err(error.into()) } else { Ok(address) }
    }

    #[rstest]
    #[case::both_by_ipv4("[::]:0", Ipv4Addr::LOCALHOST.into())]
    #[case::both_by_ipv6("[::]:0", Ipv6Addr::LOCALHOST.into())]
    #[case::ipv4_alone("0.0.0.0:0", Ipv4Addr::LOCALHOST.into())]
    fn clients_reach_the_port(#[case] address: SocketAddr, #[case] client: std::net::IpAddr) {
        let port = bind(address).unwrap().local_addr().unwrap().port();
        assert!(TcpStream::connect((client, port)).is_err(), "it is closed with the listener");
        let listener = bind(SocketAddr::new(address.ip(), port)).unwrap();
        TcpStream::connect((client, port)).unwrap();
        drop(listener);
    }

    #[rstest]
    #[case::no_protocol(Errno::AFNOSUPPORT)]
    #[case::no_address(Errno::ADDRNOTAVAIL)]
    fn without_ipv6_it_listens_for_ipv4(#[case] error: Errno) {
        let listening = bind_with("[::]:8080".parse().unwrap(), refusing(error)).unwrap();
        assert_eq!(listening, "0.0.0.0:8080".parse().unwrap());
    }

    #[rstest]
    #[case::port_in_use("[::]:8080", Errno::ADDRINUSE)]
    #[case::one_address("[2001:db8::1]:8080", Errno::ADDRNOTAVAIL)]
    #[case::loopback("[::1]:8080", Errno::AFNOSUPPORT)]
    fn another_error_is_not_hidden(#[case] address: SocketAddr, #[case] error: Errno) {
        let failed = bind_with(address, refusing(error)).unwrap_err();
        assert_eq!(failed.raw_os_error(), Some(error.raw_os_error()));
    }

    #[test]
    fn a_port_in_use_is_an_error() {
        let listener = bind("[::]:0".parse().unwrap()).unwrap();
        let error = bind(listener.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    }
}
