// Package server wires everything together: the only package that knows all others.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/accounts"
	"example.com/gatehouse/internal/apikeys"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/guard"
	"example.com/gatehouse/internal/items"
	"example.com/gatehouse/internal/mail"
	"example.com/gatehouse/internal/oauth"
	"example.com/gatehouse/internal/ratelimit"
	"example.com/gatehouse/internal/session"
	"example.com/gatehouse/internal/sqldb"
)

// Config is what a service needs. All fields but Certificates, Proxies, CORSOrigins, Mail, AccountPage and those of the signing keys are required.
type Config struct {
	// Development makes the first credentials and allows HTTP Basic without TLS.
	Development bool
	// Data is the folder of the development files, Database the SQLite file.
	Data     string
	Database string
	// Secret is what ReadSecret returns.
	Secret auth.Secret
	// Issuer is the address of the service as clients see it, and the audience of its tokens.
	Issuer string
	// SigningAlgorithm is that of the signing keys that the service makes; EdDSA where it is empty.
	SigningAlgorithm oauth.Algorithm
	// SigningKeyAge is how long a signing key signs before the next one is made; 0 for never.
	SigningKeyAge time.Duration
	// Docs serves the documentation.
	Docs bool
	// Drain is how long /readyz says no before the service stops accepting.
	Drain time.Duration
	// Certificates make the service speak HTTPS.
	Certificates Certificates
	// Proxies are those that are believed about the addresses of clients and about TLS.
	Proxies Proxies
	// CORSOrigins are the origins beside the one of the service that may call it from a browser.
	CORSOrigins []string
	// PasswordGrant offers the password grant of OAuth 2.0, which RFC 9700 §2.4 advises against.
	PasswordGrant bool
	// CheckResponses compares what handlers answer with the document: see guard.Config.
	CheckResponses bool
	// Mail sends the mails of accounts. Without it there is no registration and no reset of passwords.
	Mail mail.Sender
	// Passwords says how passwords are hashed.
	Passwords accounts.Passwords
	// Registration says whether people may make accounts for themselves.
	Registration bool
	// Redis is the address of the Redis in which the processes of one service count their limits together. Optional.
	Redis auth.Secret
	// Replicas is how many processes that are: what each allows by itself while Redis does not answer. 0: one.
	Replicas int
	// AccountPage is where the links of mails lead to instead of the pages of the service. Optional.
	AccountPage string
	// Limits bound what clients can take of the process. The zero value stands for DefaultLimits.
	Limits Limits
	// Admin is what ListenAdmin returns. Optional: without it there are no metrics and no profiles.
	Admin net.Listener

	Log       *slog.Logger
	AccessLog io.Writer
	Now       func() time.Time
	Random    io.Reader
}

// shutdownSpare is how much longer than its WriteTimeout a request may take that is in flight when the service ends.
const shutdownSpare = 5 * time.Second

// realm is the protection space that challenges name.
const realm = "gatehouse"

// Server is the service.
type Server struct {
	config Config
	db     *sqldb.DB
	echo   *echo.Echo
	users  *accounts.Service
	mail   *mail.Queue // nil where no mail is sent
	keys   *apikeys.Service
	// clients are the OAuth clients.
	clients *oauth.Clients
	// mirrors are asked to refresh.
	mirrors     []mirror
	signingKeys *oauth.KeyStore
	health      *health
	accessLog   *AccessLog
	gate        *gate
	connections *connections
	metrics     *metrics
	// signing are the signing keys in force, and refreshed is when the mirrors were refreshed, in nanoseconds since 1970.
	signing   *oauth.Keys
	refreshed atomic.Int64
	// shared is the limiter where processes count together, nil otherwise.
	shared *ratelimit.Shared
	// certificates says that a security scheme is mutualTLS: the listener asks each client for its certificate.
	certificates bool
	// middlewares are inside the guard, around every handler.
	middlewares []api.StrictMiddlewareFunc
}

type (
	itemHandlers    = items.Handlers
	accountHandlers = accounts.Handlers
	oauthHandlers   = oauth.Handlers
)

// handlers are the operations of the document, by resource. Nothing else is served.
type handlers struct {
	protected
	*health
	*Docs
	*itemHandlers
	*accountHandlers
	*oauthHandlers
}

var _ api.StrictServerInterface = handlers{}

// New opens the database and wires the service. The caller closes it.
func New(ctx context.Context, c Config) (*Server, error) {
	db, err := sqldb.Open(ctx, c.Database)
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, db: db}
	if err := s.wire(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *Server) wire(ctx context.Context) error {
	if s.config.Limits == (Limits{}) {
		s.config.Limits = DefaultLimits()
	}
	c := s.config
	s.gate, s.connections = newGate(c.Limits), newConnections(c.Limits, c.Proxies.trust)
	s.metrics = newMetrics(limitNames(c.Limits))
	s.refreshed.Store(c.Now().UnixNano()) // what follows reads it all
	exceptions := &auth.Exceptions{}
	limiter, err := s.newLimiter()
	if err != nil {
		return err
	}
	gate := ratelimit.NewGate(c.Limits.BadCredentials, c.Limits.Buckets)
	tokens := Tokens{DB: s.db, Issuer: c.Issuer, Exceptions: exceptions, Gate: gate, Remembered: c.Limits.Remembered, Now: c.Now, Random: c.Random}
	sessions, err := tokens.Sessions(ctx)
	if err != nil {
		return err
	}
	users, err := s.accounts(ctx, exceptions, limiter, sessions)
	if err != nil {
		return err
	}
	keys, err := s.apiKeys(ctx, exceptions, gate)
	if err != nil {
		return err
	}
	if err := s.firstStart(ctx, users, keys); err != nil {
		return err
	}
	keyStore, err := NewKeyStore(s.db, c.Secret, c.Now, c.Random)
	if err != nil {
		return err
	}
	keyStore.Algorithm, keyStore.RotateAfter = c.SigningAlgorithm, c.SigningKeyAge
	signer, verifier, err := tokens.Open(ctx, keyStore)
	if err != nil {
		return err
	}
	refreshKey, err := derive(c.Secret, "refresh tokens")
	if err != nil {
		return err
	}
	loginKey, err := derive(c.Secret, "login cookies")
	if err != nil {
		return err
	}
	declared := auth.NewScopes(api.Scopes()...)
	clients := &oauth.Clients{
		DB: s.db, Declared: declared, FirstPartyRedirectURIs: []string{c.Issuer + "/docs/oauth2-redirect.html"}, Now: c.Now, Random: c.Random,
	}

	s.keys, s.signingKeys, s.clients = keys, keyStore, clients
	s.mirrors = []mirror{sessions, users, keys, keyStore}
	s.health = &health{ping: s.db.Ping}
	s.accessLog = NewAccessLog(c.AccessLog)
	s.signing = signer.Keys
	s.gauges()
	return s.route(limiter, authenticators{passwords: users, clients: clients, tokens: verifier, keys: keys}, handlers{
		health:          s.health,
		Docs:            &Docs{Enabled: c.Docs, YAML: api.OpenapiYAML, JSON: api.OpenapiJSON, Title: "Gatehouse"},
		itemHandlers:    &items.Handlers{DB: s.db, Now: c.Now, Random: c.Random},
		accountHandlers: &accounts.Handlers{Accounts: users},
		oauthHandlers: &oauth.Handlers{
			DB: s.db, Users: users, Clients: clients, Sessions: sessions, Signer: signer, Verifier: verifier, Keys: signer.Keys,
			RefreshKey: [32]byte(refreshKey), LoginKey: [32]byte(loginKey), PasswordGrant: c.PasswordGrant, SendsMail: c.Mail != nil,
			DeclaredScopes: declared, ScopeDescriptions: api.ScopeDescriptions(), Log: c.Log,
		},
	})
}

// route puts the guard before every operation and the entry before everything.
func (s *Server) route(limiter limiter, a api.Authenticators, h handlers) error {
	c := s.config
	s.echo = echo.New()
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.IPExtractor = echo.ExtractIPDirect() // echo's default believes X-Forwarded-For from anyone
	var router *guard.Router
	cors, err := newCORS(c.CORSOrigins, api.OpenapiJSON, func(u *url.URL) string { return router.Allow(u) })
	if err != nil {
		return err
	}
	s.echo.Pre(Entry{Metrics: s.metrics, Now: c.Now, Random: c.Random, Logger: c.Log, Access: s.accessLog, Limiter: limiter, Unrouted: api.DefaultLimits(), Realm: realm, StrictTransport: !c.Development, Proxies: c.Proxies, CORS: cors}.Middleware())
	schemes := api.Schemes(a)
	s.certificates = slices.ContainsFunc(schemes, func(s guard.Scheme) bool { return s.MutualTLS != nil })
	router = guard.New(guard.Config{
		Echo:               s.echo,
		Operations:         api.Operations(),
		Schemes:            schemes,
		Limiter:            limiter,
		Realm:              realm,
		AllowInsecureBasic: c.Development,
		CheckResponses:     c.CheckResponses,
		Gate:               s.gate,
		Ungated:            probes,
		Meter:              s.metrics,
	})
	api.RegisterHandlers(router, api.NewStrictHandler(h, append(s.middlewares, handlerInPlace, h.Docs.Negotiate, api.Encode)))
	return router.Finish()
}

// accounts makes the accounts, which end with the server from here on.
func (s *Server) accounts(ctx context.Context, exceptions *auth.Exceptions, limiter limiter, sessions *session.Store) (*accounts.Service, error) {
	c := s.config
	deviceKey, err := derive(c.Secret, "devices")
	if err != nil {
		return nil, err
	}
	config := accounts.Config{
		DB: s.db, Exceptions: exceptions, Limiter: limiter, Limits: c.Limits.Accounts(), DeviceKey: [32]byte(deviceKey), Roles: api.Roles(),
		Sessions: sessions, Owned: []accounts.Owned{items.RemoveAllOf, apikeys.RemoveAllOf, oauth.RemoveAllOf, session.RemoveAllOf},
		Passwords: c.Passwords, Registration: c.Registration, Issuer: c.Issuer, Page: c.AccountPage, Log: c.Log, Now: c.Now, Random: c.Random,
		WaitingHashes: c.Limits.WaitingHashes, Logins: c.Limits.Logins, Remembered: c.Limits.Remembered, HashWaited: func(d time.Duration) { s.metrics.hashWait.Observe(d.Seconds()) },
	}
	if c.Mail != nil {
		s.mail = mail.NewQueue(mail.QueueConfig{Sender: c.Mail, Log: c.Log, Size: c.Limits.WaitingMails})
		config.Mailer = s.mail
	}
	s.users, err = accounts.New(ctx, config)
	return s.users, err
}

func (s *Server) apiKeys(ctx context.Context, exceptions *auth.Exceptions, gate *ratelimit.Gate) (*apikeys.Service, error) {
	pepper, err := derive(s.config.Secret, "API keys")
	if err != nil {
		return nil, err
	}
	environment := "live"
	if s.config.Development {
		environment = "dev"
	}
	return apikeys.New(ctx, apikeys.Config{DB: s.db, Exceptions: exceptions, Pepper: pepper, Environment: environment, Roles: api.Roles(), Gate: gate, Remembered: s.config.Limits.Remembered, Now: s.config.Now, Random: s.config.Random})
}

// firstStart makes the first credentials in development, and refuses them in production.
func (s *Server) firstStart(ctx context.Context, users *accounts.Service, keys *apikeys.Service) error {
	if s.config.Development {
		return provision(ctx, filepath.Join(s.config.Data, "dev.env"), users, keys, s.config.Random)
	}
	made, err := users.HasDevelopmentUser(ctx)
	if err != nil {
		return err
	}
	if made {
		return fmt.Errorf("the database %s was made by --dev and holds a user with a generated password: give another with --database", s.config.Database)
	}
	return nil
}

// Handler returns the service as a handler, for tests and for embedding.
func (s *Server) Handler() http.Handler { return s.echo }

// Serve answers on the listener until the context ends, then lets requests in flight finish.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	limits := s.config.Limits
	server := &http.Server{
		Handler:           s.echo,
		ReadHeaderTimeout: limits.ReadHeaderTimeout,
		ReadTimeout:       limits.ReadTimeout,
		WriteTimeout:      limits.WriteTimeout,
		IdleTimeout:       limits.IdleTimeout,
		MaxHeaderBytes:    limits.HeaderBytes,
		HTTP2:             limits.http2(),
		TLSConfig:         s.tlsConfig(),
		// It would answer "OPTIONS *" by itself, without a header.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(s.config.Log.Handler(), slog.LevelWarn),
	}
	running, stop := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer stop()
	background.Go(func() { s.poll(running) })
	if s.config.Certificates != nil {
		background.Go(func() { s.config.Certificates.Run(running) })
	}
	listener = s.connections.on(listener)
	defer s.serveAdmin()() // for as long as anything is served
	failed := make(chan error, 1)
	go func() {
		if s.config.Certificates != nil {
			failed <- server.ServeTLS(listener, "", "")
			return
		}
		failed <- server.Serve(listener)
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.health.draining.Store(true)
	time.Sleep(s.config.Drain) // the load balancer looks at /readyz and sends no more
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limits.WriteTimeout+shutdownSpare)
	defer cancel()
	return server.Shutdown(ctx)
}

// tlsConfig is what the listener is given. A client that presents no certificate is let in by the handshake: whether an
// operation needs one, and whether it is good, the guard and the authenticator say.
func (s *Server) tlsConfig() *tls.Config {
	if s.config.Certificates == nil {
		return nil
	}
	c := s.config.Certificates.TLS()
	if s.certificates {
		c.ClientAuth = tls.RequestClientCert
	}
	return c
}

// Close finishes what was put off until after an answer, writes what is left of the access log and closes the database.
func (s *Server) Close() error {
	s.users.Close()
	if s.mail != nil {
		ctx, cancel := context.WithTimeout(context.Background(), s.config.Limits.MailsAtEnd)
		defer cancel()
		s.mail.Close(ctx)
	}
	var limiter error
	if s.shared != nil {
		limiter = s.shared.Close()
	}
	return errors.Join(s.accessLog.Close(), limiter, s.db.Close())
}
