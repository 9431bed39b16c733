// Package config is everything an operator can set, as one checked value. It is
// the only package that reads the environment. A setting comes from, weakest
// first: its default, the configuration file, the environment, a flag.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"
)

// Config is the settings of every role. The tags are read by Load, by the
// commands' flags and by "config init": name is the flag and the file's key, and
// with KOBLING_ before it and _ for - the environment variable.
type Config struct {
	DataDir string `name:"data-dir" placeholder:"DIR" help:"Where embedded servers, the index and mails are kept. Default: a folder of the user's (XDG_DATA_HOME/kobling, else ~/.local/share/kobling); /var/lib/kobling for root."`

	NATSURL      string `name:"nats-url" placeholder:"URL" help:"NATS server to use instead of the embedded one, e.g. nats://nats.example.org:4222 or tls://…; several with commas."`
	NATSUser     string `name:"nats-user" help:"User name for --nats-url."`
	NATSPassword Secret `name:"nats-password" help:"Password for --nats-url."`
	NATSNkeySeed Secret `name:"nats-nkey-seed" help:"Nkey seed for --nats-url, instead of user and password."`
	NATSReplicas int    `name:"nats-replicas" default:"1" help:"Replicas of each stream: 1, or 3 in a NATS cluster."`
	StreamMaxMiB int64  `name:"stream-max-mib" default:"4096" help:"Upper size of the INTAKE and PROFILES streams, MiB each. At the limit new profiles are refused, updates still go in."`
	DatabaseURL  Secret `name:"database-url" placeholder:"URL" help:"PostgreSQL (15 or newer) to use instead of the embedded one, e.g. postgres://kobling@db.example.org/kobling."`
	PostgresBin  string `name:"postgres-bin" placeholder:"DIR" help:"Folder with the PostgreSQL programs for the embedded server. Default: searched on PATH and in the usual places."`
	DatabaseConn int    `name:"database-connections" default:"20" help:"Upper number of connections to PostgreSQL of this process."`

	NATSListen string   `name:"nats-listen" default:"127.0.0.1:4222" placeholder:"HOST:PORT" help:"Where the embedded NATS server listens for clients; port 0 takes a free one."`
	HTTPListen string   `name:"http-listen" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where health and metrics are served; port 0 takes a free one."`
	Roles      []string `name:"roles" default:"api,intake,match,notify" placeholder:"ROLE,…" help:"What this process does: api, intake, match, notify."`
	PublicURL  string   `name:"public-url" placeholder:"URL" help:"Address of this installation as people reach it, for links in alerts."`

	RematchShare int `name:"rematch-share" default:"75" placeholder:"PERCENT" help:"Most of its time that a process spends on a re-match while it has live work as well, 1 to 100. Live work goes first all the same."`

	SMTPURL             Secret   `name:"smtp-url" placeholder:"URL" help:"SMTP server for e-mail alerts: smtp://user:password@host:587 (STARTTLS), smtps://host:465, or smtp+plain://host:25 without encryption. Without it mails are written to DATA-DIR/mail."`
	MailFrom            string   `name:"mail-from" default:"kobling <kobling@localhost>" placeholder:"ADDRESS" help:"Sender of e-mail alerts."`
	WebhookAllowPrivate []string `name:"webhook-allow-private" placeholder:"CIDR,…" help:"Private address ranges that webhooks may reach all the same, e.g. 10.1.0.0/16. None by default."`

	LogLevel     string        `name:"log-level" default:"info" help:"debug, info, warn or error."`
	LogFormat    string        `name:"log-format" default:"auto" help:"json, console, or auto: console on a terminal."`
	DrainTimeout time.Duration `name:"drain-timeout" default:"20s" help:"How long work in hand may take to finish when the process is told to stop."`

	Clusters []Cluster `yaml:"clusters" kong:"-"`
	Networks []Network `yaml:"networks" kong:"-"`
}

// Cluster is a tenant, as configured in the file.
type Cluster struct {
	ID        string `yaml:"id"`
	Name      string `yaml:"name"`
	Enrolment string `yaml:"enrolment"` // open (the default) or members
	Review    bool   `yaml:"review"`    // profiles wait for an advisor's release
}

// Network joins clusters whose network-visible profiles may meet.
type Network struct {
	ID       string   `yaml:"id"`
	Name     string   `yaml:"name"`
	Clusters []string `yaml:"clusters"`
}

// The roles of a process.
const (
	RoleAPI    = "api"
	RoleIntake = "intake"
	RoleMatch  = "match"
	RoleNotify = "notify"
)

// EmbeddedNATS reports whether the NATS server is this process's own.
func (c *Config) EmbeddedNATS() bool { return c.NATSURL == "" }

// EmbeddedDatabase reports whether the PostgreSQL server is this process's own.
func (c *Config) EmbeddedDatabase() bool { return c.DatabaseURL == "" }

// Has reports whether this process plays role.
func (c *Config) Has(role string) bool { return slices.Contains(c.Roles, role) }

// Check reports everything wrong with c, a line for each setting. It is not
// called Validate, for the parser of the command line would take that for its
// own and judge the flags before the environment and the file are read.
func (c *Config) Check() error {
	var errs []error
	fail := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
	}
	if !filepath.IsAbs(c.DataDir) {
		fail("data-dir", "must be an absolute path, is %q", c.DataDir)
	}
	for u := range strings.SplitSeq(c.NATSURL, ",") {
		if p, err := url.Parse(u); u != "" && (err != nil || p.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, p.Scheme)) {
			fail("nats-url", "want nats://host:port or tls://host:port, got %q", redactURL(u))
		}
	}
	if c.NATSReplicas != 1 && c.NATSReplicas != 3 && c.NATSReplicas != 5 {
		fail("nats-replicas", "must be 1, 3 or 5, is %d", c.NATSReplicas)
	}
	if c.EmbeddedNATS() && c.NATSReplicas != 1 {
		fail("nats-replicas", "the embedded server has one replica; set nats-url to use a cluster")
	}
	if c.StreamMaxMiB < 64 {
		fail("stream-max-mib", "must be at least 64, is %d", c.StreamMaxMiB)
	}
	if u, err := url.Parse(c.DatabaseURL.Reveal()); c.DatabaseURL != "" && (err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql")) {
		fail("database-url", "want postgres://user@host/database")
	}
	if c.DatabaseConn < 8 {
		fail("database-connections", "must be at least 8, is %d", c.DatabaseConn)
	}
	for name, v := range map[string]string{"nats-listen": c.NATSListen, "http-listen": c.HTTPListen} {
		if _, _, err := net.SplitHostPort(v); err != nil {
			fail(name, "want HOST:PORT, got %q", v)
		}
	}
	for _, r := range c.Roles {
		if !slices.Contains([]string{RoleAPI, RoleIntake, RoleMatch, RoleNotify}, r) {
			fail("roles", "%q is not one of api, intake, match, notify", r)
		}
	}
	if len(c.Roles) == 0 {
		fail("roles", "name at least one of api, intake, match, notify")
	}
	if u, err := url.Parse(c.SMTPURL.Reveal()); c.SMTPURL != "" && (err != nil || u.Host == "" || !slices.Contains([]string{"smtp", "smtps", "smtp+plain"}, u.Scheme)) {
		fail("smtp-url", "want smtp://user:password@host:port, smtps://… or smtp+plain://…")
	}
	if _, err := mail.ParseAddress(c.MailFrom); err != nil {
		fail("mail-from", "not an e-mail address: %q", c.MailFrom)
	}
	if u, err := url.Parse(c.PublicURL); c.PublicURL != "" && (err != nil || u.Host == "") {
		fail("public-url", "want https://host, got %q", c.PublicURL)
	}
	for _, cidr := range c.WebhookAllowPrivate {
		if _, _, err := net.ParseCIDR(cidr); err != nil {
			fail("webhook-allow-private", "not a CIDR: %q", cidr)
		}
	}
	if c.RematchShare < 1 || c.RematchShare > 100 {
		fail("rematch-share", "must be from 1 to 100 percent, is %d", c.RematchShare)
	}
	if _, err := zapcore.ParseLevel(c.LogLevel); err != nil {
		fail("log-level", "%q is not one of debug, info, warn, error", c.LogLevel)
	}
	if !slices.Contains([]string{"json", "console", "auto"}, c.LogFormat) {
		fail("log-format", "%q is not one of json, console, auto", c.LogFormat)
	}
	if c.DrainTimeout <= 0 {
		fail("drain-timeout", "must be above 0, is %s", c.DrainTimeout)
	}
	errs = append(errs, c.validateTenants()...)
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

func (c *Config) validateTenants() []error {
	var errs []error
	known := map[string]bool{"default": true}
	for i, cl := range c.Clusters {
		if cl.ID == "" || cl.Name == "" {
			errs = append(errs, fmt.Errorf("clusters[%d]: needs an id and a name", i))
		}
		if cl.Enrolment != "" && cl.Enrolment != "open" && cl.Enrolment != "members" {
			errs = append(errs, fmt.Errorf("clusters[%d] %s: enrolment %q is not one of open, members", i, cl.ID, cl.Enrolment))
		}
		known[cl.ID] = true
	}
	for i, n := range c.Networks {
		if n.ID == "" || n.Name == "" {
			errs = append(errs, fmt.Errorf("networks[%d]: needs an id and a name", i))
		}
		for _, id := range n.Clusters {
			if !known[id] {
				errs = append(errs, fmt.Errorf("networks[%d] %s: cluster %q is not configured", i, n.ID, id))
			}
		}
	}
	return errs
}

// redactURL returns u without its password, for messages.
func redactURL(u string) string {
	p, err := url.Parse(u)
	if err != nil {
		return "(unreadable)"
	}
	return p.Redacted()
}
