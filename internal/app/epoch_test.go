package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"

	"kobling/internal/alert"
	"kobling/internal/api"
	"kobling/internal/config"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/store"
	"kobling/internal/suggestion"
	"kobling/internal/testkit"
	"kobling/internal/translate"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// limit bounds each wait; nothing takes a tenth of it.
const limit = time.Minute

// cluster is a NATS server and a database that several processes share.
type cluster struct {
	t     *testing.T
	flags map[string]string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	n, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	n.Start()
	t.Cleanup(func() { n.Shutdown(); n.WaitForShutdown() })
	if !n.ReadyForConnections(limit) {
		t.Fatal("NATS is not ready")
	}
	c := &cluster{t: t, flags: map[string]string{
		"nats-url":     n.ClientURL(),
		"database-url": testkit.DatabaseURL(t, store.Migrate), "http-listen": "127.0.0.1:0", "log-level": "warn", "database-connections": "10",
	}}
	if err := Migrate(t.Context(), c.config(t.TempDir()), testkit.Logger(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cluster) config(dir string) config.Config {
	c.t.Helper()
	flags := map[string]string{"data-dir": dir}
	maps.Copy(flags, c.flags)
	return load(c.t, flags)
}

func load(tb testing.TB, flags map[string]string) config.Config {
	tb.Helper()
	cfg, _, err := config.Load(config.Source{Flags: flags})
	if err != nil {
		tb.Fatal(err)
	}
	return cfg
}

func (c *cluster) start(dir, version string) (*App, error) {
	c.t.Helper()
	return Start(c.t.Context(), c.config(dir), Options{Version: version, Log: testkit.Logger(c.t), Level: zap.NewAtomicLevel()})
}

// process is an App that runs.
type process struct {
	*App

	ended chan error
}

// run starts a process; it is stopped when the test ends.
func (c *cluster) run(dir string) *process {
	c.t.Helper()
	a, err := c.start(dir, "test")
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	p := &process{App: a, ended: make(chan error, 1)}
	go func() { p.ended <- a.Run(ctx) }()
	c.t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-p.ended, a.Close()); err != nil {
			c.t.Error(err)
		}
	})
	return p
}

func (c *cluster) epochs(dir string) *Epochs {
	c.t.Helper()
	e, err := OpenEpochs(c.t.Context(), c.config(dir), "test")
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(e.Close)
	return e
}

// publish says something in one language and waits until it is matched.
func (c *cluster) publish(p *process, id profile.ID, lang, title string) {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{
		"id": id, "organisation": map[string]any{"name": id.Org(), "type": "sme"}, "texts": []map[string]any{{"lang": lang, "title": title}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	testkit.Eventually(c.t, limit, "role api answers", func() bool {
		_, err := p.Client().Status(c.t.Context())
		return err == nil
	})
	seq, err := p.Client().Submit(c.t.Context(), Submission{ID: id, Type: event.TypeSubmitted, Data: body})
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := p.Client().Await(c.t.Context(), id, seq, limit)
	if err != nil || r.State != api.Accepted || !r.Matched {
		c.t.Fatalf("%s: %+v, %v", id, r, err)
	}
}

// count asks the database behind everybody's back.
func (c *cluster) count(query string, args ...any) int {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.flags["database-url"])
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(c.t.Context())) }()
	n := 0
	if err := conn.QueryRow(c.t.Context(), query, args...).Scan(&n); err != nil {
		c.t.Fatal(err)
	}
	return n
}

// words are in no concept; a pack translates them.
var words = [][3]string{ // fi, sv, en
	{"kveltokka", "trylkare", "thrumbler"},
	{"morraska", "gnallinge", "quindleaf"},
	{"puituliini", "blarvelme", "vorbistock"},
	{"sorvankko", "skomperta", "zelphoid"},
	{"tielikkain", "vrinskolt", "wemblecog"},
	{"hounutar", "dulporing", "jaxilrod"},
}

func titleIn(lang int) string {
	var title []string
	for _, w := range words {
		title = append(title, w[lang])
	}
	return strings.Join(title, " ")
}

// compile puts tables of the words into a data directory.
func compile(t *testing.T, dir string) {
	t.Helper()
	plain, err := score.DefaultEpoch(1)
	if err != nil {
		t.Fatal(err)
	}
	var entries []translate.Entry
	for _, w := range words {
		entries = append(entries, translate.Entry{Terms: []translate.Term{{Lang: "fi", Text: w[0]}, {Lang: "en", Text: w[2]}}},
			translate.Entry{Terms: []translate.Term{{Lang: "sv", Text: w[1]}, {Lang: "en", Text: w[2]}}})
	}
	tables, err := translate.Learn(t.Context(), slices.Values(entries), plain.Analyzer().Keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := errors.Join(tables.Write(&file), os.WriteFile(filepath.Join(dir, "translations.gz"), file.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func pairs(t *testing.T, p *process) []suggestion.Suggestion {
	t.Helper()
	items, err := p.Client().Suggestions(t.Context(), api.SuggestionsQuery{Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// Two processes agree on what one command made, and go on without a restart.
func TestAllProcessesTakeUpANewEpoch(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	packs := t.TempDir()
	a, b := c.run(t.TempDir()), c.run(t.TempDir())
	if _, err := a.Client().Subscribe(t.Context(), subscriber()); err != nil {
		t.Fatal(err)
	}
	c.publish(a, "need.pelto.kone", "fi", titleIn(0))
	c.publish(b, "offer.aker.maskin", "sv", titleIn(1))
	if found := pairs(t, a); len(found) != 0 {
		t.Fatalf("without a pack they are suggested: %+v", found)
	}
	compile(t, packs)
	made, err := c.epochs(packs).Make(t.Context(), MakeEpoch{})
	if err != nil || !made.Made || made.Number != 2 || made.About.Tables == "" || made.About.Total != 2 {
		t.Fatalf("made %+v, %v", made, err)
	}
	for _, p := range []*process{a, b} {
		testkit.Eventually(t, limit, "both go on in epoch 2", func() bool { return p.now.Load().epoch.Number() == 2 })
		if got := p.now.Load().epoch.Fingerprint(); got != made.Fingerprint {
			t.Errorf("a process judges by %s, want %s", got, made.Fingerprint)
		}
	}
	testkit.Eventually(t, limit, "the re-match finds the pair", func() bool { return len(pairs(t, b)) == 1 })

	// What is published from now on is found and told once, whoever takes it.
	c.publish(b, "need.suo.kone", "fi", titleIn(0))
	testkit.Eventually(t, limit, "both pairs are there", func() bool { return len(pairs(t, a)) == 2 })
	testkit.Eventually(t, limit, "nothing is waiting", func() bool {
		s, err := a.Client().Status(t.Context())
		return err == nil && s.Waiting.Match == 0 && s.Epoch == 2
	})
	if n := c.count(`SELECT count(*) FROM suggestion_live WHERE demand_id = 'need.suo.kone'`); n != 1 {
		t.Errorf("the new need has %d suggestions, want 1", n)
	}
	if n := c.count(`SELECT count(*) FROM notification WHERE demand_id = 'need.suo.kone'`); n != 1 {
		t.Errorf("it was told %d times, want once", n)
	}
	again, err := c.epochs(packs).Make(t.Context(), MakeEpoch{DryRun: true})
	if err != nil || again.Made || again.Same || again.Number != 3 || again.About.Total != 3 {
		t.Errorf("with one profile more: %+v, %v", again, err)
	}
}

// A process that starts finds the packs of its data directory, and one that has
// none agrees with it.
func TestTheFirstStartTakesThePacksThatAreThere(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	packs := t.TempDir()
	compile(t, packs)
	a, b := c.run(packs), c.run(t.TempDir())
	fi, sv := a.now.Load().epoch, b.now.Load().epoch
	plain, err := score.DefaultEpoch(1)
	if err != nil || fi.Fingerprint() != sv.Fingerprint() || fi.Fingerprint() == plain.Fingerprint() || fi.Number() != 1 || sv.Number() != 1 {
		t.Errorf("%d %s and %d %s, %v", fi.Number(), fi.Fingerprint(), sv.Number(), sv.Fingerprint(), err)
	}
	if active, err := c.epochs(packs).Active(t.Context()); err != nil || active.About.Tables == "" || active.About.Program != "test" {
		t.Errorf("active is %+v, %v", active, err)
	}
}

// foreign makes an epoch as another version of the program would.
func (c *cluster) foreign(s *store.Store, number int, about score.About) {
	c.t.Helper()
	var model bytes.Buffer
	m := score.Model{About: about}
	text, err := json.Marshal(about)
	if err = errors.Join(err, m.Write(&model)); err != nil {
		c.t.Fatal(err)
	}
	if err := s.SetEpoch(c.t.Context(), number, fmt.Sprint("foreign-", number), model.Bytes(), text); err != nil {
		c.t.Fatal(err)
	}
}

// A new program carries the model over; when it is old itself, it stops.
func TestVersionsOfTheProgramDoNotQuarrel(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	s, err := store.Open(t.Context(), c.flags["database-url"], store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	packs := []score.Pack{{Name: "theirs", Licence: "CC0"}}
	c.foreign(s, 6, score.About{Program: "v1", Maker: "older", Packs: packs})

	a, err := c.start(t.TempDir(), "v2")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(t.Context()) }()
	epochs := c.epochs(t.TempDir())
	active, err := epochs.Active(t.Context())
	about := active.About
	if err != nil || active.Number != 7 || about.Program != "v2" || !slices.Equal(about.Before, []string{"older"}) || !slices.Equal(about.Packs, packs) {
		t.Errorf("after the upgrade: %+v, %v", active, err)
	}
	// A later version takes over while this one runs.
	maker := about.Maker
	c.foreign(s, 8, score.About{Program: "v3", Maker: "newer", Before: []string{"older", maker}})
	select {
	case err = <-ended:
	case <-time.After(limit):
		t.Fatal("it goes on")
	}
	if !errors.Is(err, fault.ErrConflict) || !strings.Contains(err.Error(), "epoch 8 was made by kobling v3, which judges otherwise than this program") {
		t.Errorf("it ended with %v", err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.start(t.TempDir(), "v2"); !errors.Is(err, fault.ErrConflict) {
		t.Errorf("started again: %v", err)
	}
	if _, err := epochs.Make(t.Context(), MakeEpoch{}); !errors.Is(err, fault.ErrConflict) || !strings.Contains(err.Error(), "--take-over") {
		t.Errorf("an epoch of the old version: %v", err)
	}
	if n, _, err := s.ActiveEpoch(t.Context()); n != 8 || err != nil {
		t.Fatalf("epoch %d is active, %v, want 8", n, err)
	}
	// Unless it is wanted.
	if made, err := epochs.Make(t.Context(), MakeEpoch{TakeOver: true}); err != nil || made.Number != 9 || !slices.Equal(made.About.Before, []string{"older", "newer"}) {
		t.Errorf("taken over: %+v, %v", made, err)
	}
	c.run(t.TempDir())
}

// A model that this program cannot read is no reason to judge without it.
func TestAnUnreadableModelStopsTheStart(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	s, err := store.Open(t.Context(), c.flags["database-url"], store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.SetEpoch(t.Context(), 2, "later", []byte("kobling model 9\n"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.start(t.TempDir(), "v2"); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "epoch 2") {
		t.Errorf("started: %v", err)
	}
}

func subscriber() alert.Subscription {
	return alert.Subscription{Cluster: "default", Address: "aino@example.org", Language: "fi", MinBand: suggestion.Possible, Channel: alert.Email}
}
