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
	"kobling/internal/pack"
	"kobling/internal/profile"
	"kobling/internal/telemetry"
)

// cli is every command. Settings are flags of the commands that start something;
// commands that talk to a running service take connection.
type cli struct {
	Demo    demoCmd    `cmd:"" group:"run" help:"Start everything on this machine, with invented profiles to look at."`
	Serve   serveCmd   `cmd:"" group:"run" help:"Run the service."`
	Migrate migrateCmd `cmd:"" group:"run" help:"Create or upgrade streams and tables on servers of your own."`
	Doctor  doctorCmd  `cmd:"" group:"run" help:"Check that this machine and its settings are fit to run."`
	Config  configCmd  `cmd:"" group:"run" help:"Check, show or write the configuration."`
	Eval    evalCmd    `cmd:"" group:"run" help:"Measure how good suggestions are, on collections with known answers."`
	Bench   benchCmd   `cmd:"" group:"run" help:"Measure how fast it is, beside other engines."`
	Lexicon lexiconCmd `cmd:"" group:"run" help:"Look after the words by which texts of different languages meet."`
	Epoch   epochCmd   `cmd:"" group:"run" help:"Have matching use the packs, and what is common among the profiles."`
	Rematch rematchCmd `cmd:"" group:"run" help:"Match all profiles again, and show how far that is."`
	Version versionCmd `cmd:"" group:"run" help:"Print the version."`

	Backup   backupCmd   `cmd:"" group:"operate" help:"Write the database and the streams into a directory."`
	Restore  restoreCmd  `cmd:"" group:"operate" help:"Read a backup into an empty installation."`
	Audit    auditCmd    `cmd:"" group:"operate" help:"Compare what the streams, the database and the index hold."`
	Rebuild  rebuildCmd  `cmd:"" group:"operate" help:"Make anew what was lost or damaged."`
	Withheld withheldCmd `cmd:"" group:"operate" help:"See, and have told, what nobody was told of after a recovery."`
	DLQ      dlqCmd      `cmd:"" name:"dlq" group:"operate" help:"Look after messages that could not be handled."`

	Publish  publishCmd  `cmd:"" group:"profiles" help:"Publish or revise one profile."`
	Import   importCmd   `cmd:"" group:"profiles" help:"Publish many profiles from JSON Lines or CSV."`
	Pause    pauseCmd    `cmd:"" group:"profiles" help:"Take a profile out of matching for a while."`
	Resume   resumeCmd   `cmd:"" group:"profiles" help:"Bring a paused profile back."`
	Renew    renewCmd    `cmd:"" group:"profiles" help:"Extend how long a profile is valid."`
	Withdraw withdrawCmd `cmd:"" group:"profiles" help:"Withdraw a profile for good."`

	Suggestions suggestionsCmd `cmd:"" group:"suggestions" help:"List suggested collaborations."`
	Explain     explainCmd     `cmd:"" group:"suggestions" help:"Say why two profiles are suggested to each other, or why not."`
	Search      searchCmd      `cmd:"" group:"suggestions" help:"Find profiles by words in any language."`
	Status      statusCmd      `cmd:"" group:"suggestions" help:"Say how much is published, suggested and waiting."`

	Subscribe     subscribeCmd     `cmd:"" group:"alerts" help:"Have a cluster's new suggestions told by mail or webhook."`
	Subscriptions subscriptionsCmd `cmd:"" group:"alerts" help:"List subscriptions."`
	Unsubscribe   unsubscribeCmd   `cmd:"" group:"alerts" help:"End a subscription."`
}

// groups are the headings under which --help lists commands and flags.
var groups = []kong.Group{
	{Key: "run", Title: "Run it:"},
	{Key: "operate", Title: "Look after it:"},
	{Key: "profiles", Title: "Say what you need or offer:"},
	{Key: "suggestions", Title: "See what fits:"},
	{Key: "alerts", Title: "Be told of it:"},
	{Key: "connection", Title: "Which service, when not the one of this machine's default data directory:"},
	{Key: "settings", Title: "Settings, which can also be given in the environment or a file (see: kobling config show):"},
}

// process is what a command is given besides its own flags.
type process struct {
	context.Context
	streams

	file  string            // --config
	flags map[string]string // settings given as flags, by name

	// tables opens what is compiled from the packs of a data directory.
	tables func(dataDir string) pack.Tables
}

// errUsage marks a command line that cannot be understood: exit code 2.
var errUsage = errors.New("see kobling --help")

// run is main without the process: tests call it.
func run(ctx context.Context, args []string, std streams) (err error) {
	var c cli
	exited := false
	parser, err := kong.New(&c,
		kong.Name("kobling"),
		kong.Description("Matchmaking between companies and knowledge institutions. To look around: kobling demo"),
		kong.Writers(std.out, std.err),
		kong.Exit(func(int) { exited = true; panic(errHelp) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ExplicitGroups(groups),
		kong.ValueFormatter(helpOf),
	)
	if err != nil {
		return err
	}
	parser.Model.HelpFlag.Help = "Show this help."
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
	p := &process{Context: ctx, streams: std, flags: settingFlags(k), tables: openTables}
	for _, path := range k.Path {
		if path.Flag != nil && path.Flag.Name == "config" {
			p.file = path.Flag.Target.String()
		}
	}
	return k.Run(p, k)
}

// helpOf is the help of one flag; a default that a placeholder hides is added.
func helpOf(v *kong.Value) string {
	if v.Flag == nil || v.Flag.PlaceHolder == "" || v.Default == "" {
		return v.Help
	}
	return fmt.Sprintf("%s Default: %s.", v.Help, v.Default)
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
	common `group:"connection"`

	DataDir      string        `name:"data-dir" group:"connection" placeholder:"DIR" help:"Data directory of the running service (KOBLING_DATA_DIR)."`
	NATSURL      string        `name:"nats-url" group:"connection" placeholder:"URL" help:"NATS server of a service elsewhere (KOBLING_NATS_URL)."`
	NATSUser     string        `name:"nats-user" group:"connection" placeholder:"NAME" help:"User name for --nats-url."`
	NATSPassword config.Secret `name:"nats-password" group:"connection" help:"Password; better in KOBLING_NATS_PASSWORD or its _FILE."`
	NATSNkeySeed config.Secret `name:"nats-nkey-seed" group:"connection" hidden:""`
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

// parseID reads a profile's id from the command line.
func parseID(s string) (profile.ID, error) {
	id, err := profile.ParseID(s)
	if err != nil {
		return "", fmt.Errorf("%w, for example need.vaktsom.fall-sensor (%w)", err, errUsage)
	}
	return id, nil
}

// checkLang refuses a language in which nothing can be asked for.
func checkLang(lang string) error {
	if lang != "" && !slices.Contains(profile.Languages, lang) {
		return fmt.Errorf("language %q is not one of %v (%w)", lang, profile.Languages, errUsage)
	}
	return nil
}
