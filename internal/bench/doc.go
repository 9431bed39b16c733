// Package bench measures how fast kobling is, and beside it the engines of package
// peer, on the same machine in the same run. Ratios are what counts; a ratio above 1
// means that kobling is faster.
//
// # What runs
//
// JetStream and PostgreSQL are those of package embedded, as they ship: what is
// acknowledged is on the disk. The matcher is the program itself, "kobling serve
// --roles match", in a process of its own, so its memory and its CPU time are nobody
// else's. The profiles are invented (package corpus) or made of real sentences. The
// epoch is the program's own with the statistics of a sample of the corpus, as
// "kobling epoch make" would count them; its thresholds are those that the program
// ships with, whatever the size.
//
// # The whole way
//
// A corpus of N profiles is there: in PROFILES, in the index, and as heads in
// PostgreSQL, but without suggestions. Then a sample of new profiles is published, much
// faster than anybody matches. The matcher reads them from JetStream in batches of at
// most 64, indexes, finds, scores, commits and acknowledges. The time counts from the
// first publishing until the last message is acknowledged, which follows its commit.
//
// The peers then get the same messages from the same stream, where they lie already, in
// batches of 64, each with a copy of the database as it was before. They are kobling
// with another engine: the same reading, the same analysis, which selects the terms,
// the same transaction. For each event an engine is asked for, and stores, as many rows
// as kobling stored of it, without reasons. A slow peer gets only the first events of
// the sample.
//
// # Queries
//
// Each engine is asked the same queries, of demands and of supplies in turn, by one
// goroutine, warm, when merging has come to rest; the peers for as many hits as kobling
// has suggestions. Kobling answers exactly: all above the floor, with facts and
// reasons. CPU time is the process's own, with the garbage collector's. What kobling
// answers is compared with brute force over all profiles: the pairs and their scores
// must be the same to the bit.
//
// # Latency
//
// From the moment at which a profile is to be published to the moment at which its
// commit is seen by another connection, which looks every 2 ms or more often. Idle:
// one after the other. Half load: at half the rate of the whole way, by the clock; who
// is late has waited.
//
// # Memory
//
// The matcher's anonymous memory at its highest. The pages of its index that the
// system keeps mapped are counted apart: they are the system's cache and go when others
// need the room.
//
// # Growth
//
// One corpus grows, and at each size a sample is measured as above: CPU time of the
// matcher and of PostgreSQL for an event. The work of merging that an event leaves
// behind counts as long as the sample lasts.
package bench
