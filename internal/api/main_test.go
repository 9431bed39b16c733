package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/zap"

	"kobling/internal/api"
	"kobling/internal/app"
	"kobling/internal/config"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/testkit"
	"kobling/schemas"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// limit bounds each wait of these tests; nothing here takes a tenth of it.
const limit = time.Minute

// service is a running service without notify, and what it is asked by: a plain
// NATS client.
type service struct {
	*app.Client

	nc       *nats.Conn
	database string // its address
}

func start(t *testing.T) *service {
	t.Helper()
	database := testkit.DatabaseURL(t, store.Migrate)
	cfg, _, err := config.Load(config.Source{Flags: map[string]string{
		"data-dir": t.TempDir(), "nats-listen": "127.0.0.1:0", "http-listen": "127.0.0.1:0", "roles": "api,intake,match",
		"database-url": database,
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	a, err := app.Start(ctx, cfg, app.Options{Version: "test", Log: testkit.Logger(t), Level: zap.NewAtomicLevel()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	info := a.Info()
	nc, err := nats.Connect(info.NATSURL, nats.UserInfo(info.NATSUser, info.NATSPassword))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s := &service{Client: a.Client(), nc: nc, database: database}
	testkit.Eventually(t, limit, "the service answers", func() bool {
		_, err := s.Status(t.Context())
		return err == nil
	})
	return s
}

// raw asks op with body and returns the answer and, if it is a refusal, its code.
func (s *service) raw(t *testing.T, op, body string) (answer []byte, code string) {
	t.Helper()
	m, err := s.nc.Request(event.API+"."+op, []byte(body), limit)
	if err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	return m.Data, m.Header.Get(micro.ErrorCodeHeader)
}

// ask asks op with in and decodes the answer, which must be as schemas/api.json
// says in $defs/<def>.
func ask[Out any](t *testing.T, s *service, op, def string, in any) Out {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	answer, code := s.raw(t, op, string(b))
	if code != "" {
		t.Fatalf("%s: %s: %s", op, code, answer)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer))
	if err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	if err := schema(t, def).Validate(v); err != nil {
		t.Errorf("%s: the answer is not as the schema says: %v\n%s", op, err, answer)
	}
	var out Out
	if err := json.Unmarshal(answer, &out); err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	return out
}

type files struct{}

func (files) Load(url string) (any, error) {
	b, err := schemas.FS.ReadFile(strings.TrimPrefix(url, "schemas:///"))
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(b))
}

func schema(t *testing.T, def string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{"schemas": files{}})
	s, err := c.Compile("schemas:///api.json#/$defs/" + def)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// submit says something of a profile and returns its number on INTAKE.
func (s *service) submit(t *testing.T, kind string, id profile.ID, data any) uint64 {
	t.Helper()
	b, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	seq, err := s.Submit(t.Context(), app.Submission{ID: id, Type: kind, Data: b})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// publish publishes ps and waits until they are matched.
func (s *service) publish(t *testing.T, ps ...profile.Profile) {
	t.Helper()
	last := map[profile.ID]uint64{}
	for i := range ps {
		last[ps[i].ID] = s.submit(t, event.TypeSubmitted, ps[i].ID, ps[i])
	}
	for id, seq := range last {
		s.await(t, id, seq)
	}
}

// await waits for the verdict on a submission and until it is matched.
func (s *service) await(t *testing.T, id profile.ID, seq uint64) {
	t.Helper()
	r, err := s.Await(t.Context(), id, seq, limit)
	if err != nil || r.State == api.Waits || (r.State == api.Accepted && !r.Matched) {
		t.Fatalf("%s: %+v, %v", id, r, err)
	}
}

func of(id profile.ID, country string, texts ...profile.Text) profile.Profile {
	return profile.Profile{
		ID: id, Organisation: profile.Organisation{Name: "Org " + string(id), Type: profile.SME, Country: country}, Texts: texts,
	}
}

func text(lang, title string) profile.Text { return profile.Text{Lang: lang, Title: title} }
