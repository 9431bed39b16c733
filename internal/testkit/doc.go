// Package testkit gives tests the real servers: PostgreSQL, NATS JetStream, a
// mail server and a webhook receiver, each test its own. It is for _test.go
// files only.
//
// A package whose tests use [DatabaseURL] should end its one PostgreSQL server
// with the test binary:
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
//
// Without that the server ends with the process too, but leaves its files to
// the next run.
//
// # Servers of your own
//
// KOBLING_TEST_DATABASE_URL, or else KOBLING_DATABASE_URL, names a PostgreSQL
// server to use instead; its user must be allowed to create databases. The
// databases made there have names beginning with kobling_test_.
//
// [NATS] always runs a server in the process, because streams have fixed names
// and parallel tests would meet in them. Tests of the whole way, which run
// alone, ask [ExternalNATS] first.
//
// # Nothing is skipped
//
// Only [EvalData] skips, when the data is not there; .ci/run sets its variable
// whenever it is.
package testkit
