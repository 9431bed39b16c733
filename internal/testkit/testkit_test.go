package testkit_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"kobling/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func makeTable(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, `CREATE TABLE fact (id int PRIMARY KEY)`)
	return err
}

func TestDatabasesAreMigratedAndSeparate(t *testing.T) {
	t.Parallel()

	for range 4 { // at the same time: the same row would be a duplicate
		t.Run("copy", func(t *testing.T) {
			t.Parallel()

			pool := testkit.Postgres(t, makeTable)
			if _, err := pool.Exec(t.Context(), `INSERT INTO fact VALUES (1)`); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDatabaseWithoutMigrationIsEmpty(t *testing.T) {
	t.Parallel()

	var tables int
	err := testkit.Postgres(t, nil).QueryRow(t.Context(),
		`SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables)
	if err != nil || tables != 0 {
		t.Errorf("%d tables, %v; want none", tables, err)
	}
}

func TestNATSKeepsMessagesOverARestart(t *testing.T) {
	t.Parallel()

	server := testkit.NATS(t, testkit.Durable())
	nc := server.Connect(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s.a", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 10*time.Second, "the connection comes back", nc.IsConnected)
	msg, err := stream.GetLastMsgForSubject(t.Context(), "s.a")
	if err != nil || string(msg.Data) != "kept" {
		t.Errorf("message after restart = %v, %v; want \"kept\"", msg, err)
	}
}
