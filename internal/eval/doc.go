// Package eval measures the quality of matching on collections with ground
// truth. It analyses every text as the service would, keeps the documents in the
// service's index and ranks them by the text part of the predicate; nothing in
// it knows a better way than the product has. Facts play no part in that, for
// most collections have none; [MeasureBands] scores by the whole predicate.
//
// What ranks is an [Engine]: the product's is [Kobling], package baseline has
// plainer ones to compare it with, and [GroupBy] makes any of them answer with
// organisations or experts. Package suite measures all collections at once.
//
// Measures are those of the field (nDCG@10 with gain 2^grade − 1 and a discount
// of log2(rank + 1), recall@k, hit@k, MRR@10), each the mean over the queries
// that have a relevant document.
package eval
