// Package eval measures the quality of matching on collections with ground
// truth. It analyses every text as the service would, keeps the documents in the
// service's index and ranks them by the text part of the predicate; nothing in
// it knows a better way than the product has. Facts play no part: collections
// have none.
//
// Measures are those of the field (nDCG@10 with gain 2^grade − 1 and a discount
// of log2(rank + 1), recall@k, hit@k, MRR@10), each the mean over the queries
// that have a relevant document.
package eval
