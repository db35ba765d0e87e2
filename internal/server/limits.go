package server

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/ratelimit"
)

// Limits is every limit of the service that openapi.yaml does not state: what is not of one operation. The zero value stands for
// DefaultLimits; the table in the README is held against that by a test.
type Limits struct {
	// ReadHeaderTimeout is how long the head of a request, or a TLS handshake, may take: a client that sends a byte a second holds a
	// connection for no longer.
	ReadHeaderTimeout time.Duration
	// ReadTimeout is how long a whole request may take to arrive, where the operation's x-timeout does not say less.
	ReadTimeout time.Duration
	// WriteTimeout is how long after its head a request may go on, until the last byte of the answer. It is longer than the x-timeout of
	// the document, so that the answer of one that ran into that still leaves.
	WriteTimeout time.Duration
	// IdleTimeout is how long a connection without a request is kept: longer than common clients keep one, which would otherwise send on
	// a connection that is about to close.
	IdleTimeout time.Duration
	// HeaderBytes bounds the head of a request, in bytes. The largest credential is a token of 8 KiB.
	HeaderBytes int

	// Connections is how many clients are connected at once; the next is closed. Each costs up to 20 KiB, 50 with TLS, and a file
	// descriptor: a quarter of those that the process may have stays for the database and everything else.
	Connections int
	// ConnectionsPerAddress is how many of them one client may have, by IPv4 address or IPv6 /64: enough for an office behind one
	// address, and a small part of all.
	ConnectionsPerAddress int
	// StreamsPerConnection is how many requests one HTTP/2 connection may have in flight: 100 is the least that RFC 9113 §6.5.2 advises.
	StreamsPerConnection int
	// ConnectionBuffer and StreamBuffer are how many bytes of request bodies an HTTP/2 connection, and one request on it, may have sent
	// that nobody has read. HTTP/1.1 has 4 KiB.
	ConnectionBuffer int
	StreamBuffer     int

	// Concurrent is how many requests are in work at once: see gate. Those that wait for the database count, those that wait for the
	// client do not. More would only wait in the database's own queue, where none of them can be turned away.
	Concurrent int
	// Waiting is how many more may wait for that, and Wait how long each: a stall of the disk is waited out, an overload is not.
	Waiting int
	Wait    time.Duration

	// Logins is how many requests may be about to prove a password, most of them waiting; half of Concurrent, so that logins, which cost a
	// thousand times what others do, never hold all places.
	Logins int
	// WaitingHashes is how many password hashes may wait for others: about 2 s of work for one core, as long as a person waits. A quarter of
	// Concurrent at most.
	WaitingHashes int

	// FailedLogins are the wrong passwords that one address, or one known browser, may give for one account: enough for a person who
	// mistypes, and 14,400 guesses a day for a machine.
	FailedLogins ratelimit.Limit
	// FailedLoginsOfAccount are those that all addresses together may: three of them can fail as fast as they may before anybody waits, and
	// a botnet is down to 1,440 guesses a day after some ten minutes. None makes anybody wait for more than a minute: who attacks an account
	// must not lock its owner out.
	FailedLoginsOfAccount [4]ratelimit.Limit
	// FailedLoginWait is how long an attempt waits for others of its account, which may give their places back: half of what a request may
	// take. FailedLoginsWaiting is how many wait so.
	FailedLoginWait     time.Duration
	FailedLoginsWaiting int
	// BadCredentials are the tokens and keys that one address may present in vain: more than a client that goes on with an old one sends,
	// and less than a hundredth of the work of a core.
	BadCredentials ratelimit.Limit
	// Mails are those that one address may ask for to one account, and MailsOfAccount those that all addresses together may.
	Mails          ratelimit.Limit
	MailsOfAccount ratelimit.Limit

	// Buckets is how many callers the rate limits tell apart at once, 200 bytes each.
	Buckets int
	// Remembered is how many credentials of a kind (access tokens, API keys, passwords) are remembered that were good, so that they need no
	// signature, no database and no hash for a while: half a KiB each.
	Remembered int
	// WaitingMails is how many mails may wait to be sent, a few KiB each.
	WaitingMails int
	// MailsAtEnd is how long mails may take that are not sent when the service ends.
	MailsAtEnd time.Duration
}

// DefaultLimits returns the limits for this process: some grow with its cores and its file descriptors.
func DefaultLimits() Limits { return defaultLimits(runtime.GOMAXPROCS(0), descriptors()) }

// The most connections that are let in by default, and the fewest places for requests.
const (
	mostConnections   = 12_000
	leastConcurrent   = 256
	concurrentPerCore = 64
)

func defaultLimits(cores, descriptors int) Limits {
	return Limits{
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second,
		HeaderBytes: 16 << 10,
		Connections: min(mostConnections, descriptors/4*3), ConnectionsPerAddress: 256,
		StreamsPerConnection: 100, ConnectionBuffer: 256 << 10, StreamBuffer: 64 << 10,
		FailedLogins: ratelimit.Limit{Name: "login", Quota: 10, Window: time.Minute, Guess: true},
		FailedLoginsOfAccount: [4]ratelimit.Limit{
			growing("login-account-1", 30, time.Second), growing("login-account-2", 60, 5*time.Second),
			growing("login-account-3", 90, 15*time.Second), growing("login-account-4", 120, time.Minute),
		},
		FailedLoginWait: 5 * time.Second, FailedLoginsWaiting: 200,
		BadCredentials: ratelimit.Limit{Name: "credentials", Quota: 120, Window: time.Minute},
		Mails:          ratelimit.Limit{Name: "mail-of-address", Quota: 5, Window: time.Hour},
		MailsOfAccount: ratelimit.Limit{Name: "mail-of-account", Quota: 20, Window: 24 * time.Hour},
		Buckets:        100_000, Remembered: 10_000, WaitingMails: 256, MailsAtEnd: 10 * time.Second,
	}.WithConcurrent(max(leastConcurrent, concurrentPerCore*cores))
}

// growing is a limit of an account that is felt after so many failures, and then makes everybody wait for so long. A process by itself
// makes nobody wait for more than a minute either.
func growing(name string, failures int, wait time.Duration) ratelimit.Limit {
	return ratelimit.Limit{Name: name, Quota: int(time.Hour / wait), Window: time.Hour, Burst: failures, Guess: true, MaxWait: time.Minute}
}

// Accounts are the limits that the accounts apply.
func (l Limits) Accounts() accounts.Limits {
	return accounts.Limits{
		Failures: l.FailedLogins, AccountFailures: l.FailedLoginsOfAccount, Wait: l.FailedLoginWait, Waiting: l.FailedLoginsWaiting,
		Mails: l.Mails, AccountMails: l.MailsOfAccount,
	}
}

// WithConcurrent returns the limits with another number of places, and with what follows from it.
func (l Limits) WithConcurrent(n int) Limits {
	l.Concurrent, l.Waiting, l.Wait = n, max(n/2, 1), 250*time.Millisecond
	l.Logins, l.WaitingHashes = max(n/2, 1), min(64, max(n/4, 1))
	return l
}

// http2 are the limits of an HTTP/2 connection. A stream that its client resets counts until its handler has ended, and more than four
// times as many that wait for that end the connection: a rapid reset (CVE-2023-44487) starts no more work than the limit allows. The size
// of a head is HeaderBytes here too.
func (l Limits) http2() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams: l.StreamsPerConnection, MaxReceiveBufferPerConnection: l.ConnectionBuffer, MaxReceiveBufferPerStream: l.StreamBuffer,
	}
}

// Check returns what is wrong with the limits that are settings, each with what to do.
func (l Limits) Check() error { return l.check(DefaultLimits(), descriptors()) }

func (l Limits) check(defaults Limits, descriptors int) error {
	var faults []error
	complain := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	complain(l.Concurrent < leastPlaces, "%d requests at once are too few: give --max-concurrent %d or more, or leave it out for %d", l.Concurrent, leastPlaces, defaults.Concurrent)
	complain(l.Connections < 1, "%d connections are too few: give --max-connections 1 or more, or leave it out for %d", l.Connections, defaults.Connections)
	room := max(descriptors-reservedDescriptors, 1)
	complain(l.Connections > room, "%d connections are too many for a process that may have %d file descriptors: give --max-connections %d or less, or raise the limit (ulimit -n, LimitNOFILE=)", l.Connections, descriptors, room)
	complain(l.ConnectionsPerAddress < 1, "%d connections from one address are too few: give --max-connections-per-address 1 or more, or leave it out for %d", l.ConnectionsPerAddress, defaults.ConnectionsPerAddress)
	return errors.Join(faults...)
}

const (
	// leastPlaces leaves one to each kind of work: logins, other hashes, and two for everything else.
	leastPlaces = 4
	// reservedDescriptors are for the database, the log, mail and the admin listener, whatever an operator says of connections.
	reservedDescriptors = 100
)
