package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/zap"
	"golang.org/x/term"

	"kobling/internal/app"
	"kobling/internal/config"
	"kobling/internal/fault"
	"kobling/internal/telemetry"
)

// cli is every command. Settings are flags of the commands that start something;
// commands that talk to a running service take connection.
type cli struct {
	Demo          demoCmd          `cmd:"" help:"Start everything with demonstration profiles."`
	Serve         serveCmd         `cmd:"" help:"Run the service."`
	Publish       publishCmd       `cmd:"" help:"Publish or revise one profile."`
	Pause         pauseCmd         `cmd:"" help:"Take a profile out of matching for a while."`
	Resume        resumeCmd        `cmd:"" help:"Bring a paused profile back."`
	Renew         renewCmd         `cmd:"" help:"Extend how long a profile is valid."`
	Withdraw      withdrawCmd      `cmd:"" help:"Withdraw a profile for good."`
	Import        importCmd        `cmd:"" help:"Publish many profiles from JSON Lines or CSV."`
	Suggestions   suggestionsCmd   `cmd:"" help:"List suggested collaborations."`
	Search        searchCmd        `cmd:"" help:"Find profiles by a text in any language."`
	Explain       explainCmd       `cmd:"" help:"Say why two profiles are, or are not, suggested to each other."`
	Status        statusCmd        `cmd:"" help:"Say how far the work has come."`
	Subscribe     subscribeCmd     `cmd:"" help:"Be told about the suggestions of a cluster."`
	Subscriptions subscriptionsCmd `cmd:"" help:"List subscriptions."`
	Unsubscribe   unsubscribeCmd   `cmd:"" help:"End a subscription."`
	Migrate       migrateCmd       `cmd:"" help:"Create or upgrade the streams and the database."`
	Doctor        doctorCmd        `cmd:"" help:"Check that this machine and its settings are fit to run."`
	Config        configCmd        `cmd:"" help:"Check, show or write the configuration."`
	Version       versionCmd       `cmd:"" help:"Print the version."`
}

// process is what a command is given besides its own flags.
type process struct {
	context.Context
	streams

	file  string            // --config
	flags map[string]string // settings given as flags, by name
}

// errUsage marks a command line that cannot be understood: exit code 2.
var errUsage = errors.New("see kobling --help")

// run is main without the process: tests call it.
func run(ctx context.Context, args []string, std streams) (err error) {
	var c cli
	exited := false
	parser, err := kong.New(&c,
		kong.Name("kobling"),
		kong.Description("Matchmaking between companies and knowledge institutions."),
		kong.Writers(std.out, std.err),
		kong.Exit(func(int) { exited = true; panic(errHelp) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Vars{"flags": "Settings can also be given in the environment or in a file; see: kobling config show"},
	)
	if err != nil {
		return err
	}
	defer func() { // --help ends inside the parser
		if r := recover(); r != nil {
			if !exited {
				panic(r)
			}
			err = nil
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil {
		return fmt.Errorf("%w (%w)", err, errUsage)
	}
	p := &process{Context: ctx, streams: std, flags: settingFlags(k)}
	for _, path := range k.Path {
		if path.Flag != nil && path.Flag.Name == "config" {
			p.file = path.Flag.Target.String()
		}
	}
	return k.Run(p, k)
}

// errHelp leaves the parser once it has printed what was asked for.
var errHelp = errors.New("help was printed")

// settingFlags returns the settings that were given on the command line.
func settingFlags(k *kong.Context) map[string]string {
	names := map[string]bool{}
	for _, s := range config.Settings() {
		names[s.Name] = true
	}
	flags := map[string]string{}
	for _, path := range k.Path {
		if f := path.Flag; f != nil && names[f.Name] {
			if secret, ok := reflect.TypeAssert[config.Secret](f.Target); ok {
				flags[f.Name] = secret.Reveal()
				continue
			}
			flags[f.Name] = config.Format(f.Target.Interface())
		}
	}
	return flags
}

func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		return 2
	case errors.Is(err, fault.ErrUnavailable):
		return 75 // EX_TEMPFAIL of sysexits.h: trying again later may help
	}
	return 1
}

// common is what every command knows.
type common struct {
	ConfigFile string `name:"config" placeholder:"FILE" help:"Configuration file (KOBLING_CONFIG)."`
}

// output is for commands that print data.
type output struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// connection is how a command finds a running service.
type connection struct {
	common

	DataDir      string        `name:"data-dir" placeholder:"DIR" help:"Data directory of the running service (KOBLING_DATA_DIR)."`
	NATSURL      string        `name:"nats-url" placeholder:"URL" help:"NATS server of a service elsewhere (KOBLING_NATS_URL)."`
	NATSUser     string        `name:"nats-user" help:"User name for --nats-url."`
	NATSPassword config.Secret `name:"nats-password" help:"Password; better in KOBLING_NATS_PASSWORD or its _FILE."`
	NATSNkeySeed config.Secret `name:"nats-nkey-seed" hidden:""`
}

// config loads the settings that hold for this process.
func (p *process) config() (config.Config, config.Origin, error) {
	cfg, origin, err := config.Load(config.FromProcess(p.file, p.flags))
	if err != nil {
		return cfg, origin, fmt.Errorf("configuration:\n%w", err)
	}
	return cfg, origin, nil
}

// dial connects to the running service.
func (p *process) dial() (*app.Client, error) {
	cfg, _, err := p.config()
	if err != nil {
		return nil, err
	}
	return app.Dial(p, cfg)
}

// logger returns the process's logger, writing to stderr.
func (p *process) logger(cfg config.Config) (*zap.Logger, zap.AtomicLevel, error) {
	format := cfg.LogFormat
	if format == "auto" {
		format = "json"
		if isTerminal(p.err) {
			format = "console"
		}
	}
	return telemetry.NewLogger(cfg.LogLevel, format, p.err)
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printJSON writes v, indented for people.
func (p *process) printJSON(v any) error {
	enc := json.NewEncoder(p.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// say writes a line for people.
func say(w io.Writer, format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// short is the timeout of commands that ask one question.
const short = 15 * time.Second

// ask runs f against the running service with a timeout.
func (p *process) ask(f func(ctx context.Context, c *app.Client) error) error {
	c, err := p.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(p, short)
	defer cancel()
	return f(ctx, c)
}

type versionCmd struct{ output }

// Help is shown under --help.
func (*versionCmd) Help() string { return "Example: kobling version --json" }

// Run prints the version.
func (c *versionCmd) Run(p *process) error {
	if c.JSON {
		return p.printJSON(map[string]string{"version": version})
	}
	say(p.out, "kobling %s", version)
	return nil
}

// languages are those in which reasons and titles can be asked for.
var languages = []string{"da", "nb", "nn", "sv", "fi", "nl", "en", "de", "fr"}

func checkLang(lang string) error {
	if lang != "" && !slices.Contains(languages, lang) {
		return fmt.Errorf("language %q is not one of %v (%w)", lang, languages, errUsage)
	}
	return nil
}
