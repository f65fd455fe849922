package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// permanent reports whether connecting fails for a reason that time does not cure.
func permanent(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound || isTLS(err)
}

// connectRemedy says what to do about a server that could not be reached.
func connectRemedy(err error) string {
	_, noHost := errors.AsType[*net.DNSError](err)
	timeout, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: start the server, or check the URL's host and port"
	case noHost:
		return "check the URL's host name"
	case isTLS(err):
		return "check the URL's sslmode and sslrootcert against what the server offers"
	case errors.Is(err, context.DeadlineExceeded) || isNet && timeout.Timeout():
		return "the server does not answer: check the URL's host and port, firewalls, and connect_timeout"
	}
	return "check the URL and the server's log"
}

func isTLS(err error) bool {
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, hostname := errors.AsType[x509.HostnameError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, verify := errors.AsType[*tls.CertificateVerificationError](err)
	return authority || hostname || record || verify || strings.Contains(err.Error(), "server refused TLS connection")
}

// DescribeURL returns a URL without its password and parameters, which may hold
// secrets too.
func DescribeURL(target string) string {
	u, err := url.Parse(target)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return "postgres:…"
	}
	out := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.User != nil {
		out.User = url.User(u.User.Username())
	}
	return out.String()
}

// ParseError says what is wrong with a URL. A URL that cannot be taken apart
// cannot be cleared of its password either, so nothing of it is quoted then.
func ParseError(target string, err error) error {
	u, parse := url.Parse(target)
	_, msg, found := strings.Cut(err.Error(), "`: ")
	if parse != nil || u.Scheme == "" || !found || u.Query().Has("password") {
		return errors.New("the URL cannot be read")
	}
	if secret, ok := u.User.Password(); ok && secret != "" && strings.Contains(msg, secret) {
		return errors.New("the URL cannot be read")
	}
	return errors.New(msg)
}

// IsIRIS recognises the server by what it calls itself.
func IsIRIS(conn *pgx.Conn) bool {
	return strings.Contains(conn.PgConn().ParameterStatus("server_version"), "InterSystems IRIS")
}

// ErrIsIRIS says that what answers as PostgreSQL is IRIS.
var ErrIsIRIS = errors.New("the server is InterSystems IRIS, which needs a pool with settings of its own: open it by its URL")
