// A question in full finds pages: they are ordered by how many of its words they hold, rare words counting more and
// pages of very many words less. Without this a page must hold every single word.
const plain = Search.performTermsSearch;

// Of each page, how many different words it has, over the mean of all.
function sizes() {
  const { terms, docnames } = Search._index, found = new Array(docnames.length).fill(0);
  for (const pages of Object.values(terms)) for (const page of [pages].flat()) found[page] += 1;
  const mean = found.reduce((a, b) => a + b, 0) / found.length;
  return new Map(docnames.map((name, k) => [name, found[k] / mean]));
}

// The page of questions comes first, and those that explain before those that list: a function is hardly an answer.
const share = (name) => name === "start/questions" ? 2 : /^(reference\/(api|rankscape)|more\/changelog)/.test(name) ? 0.4 : 1;

Search.performTermsSearch = (searchTerms, excludedTerms) => {
  const size = (Search.sizes ??= sizes()), found = new Map();
  for (const word of searchTerms) {
    const results = plain(new Set([word]), excludedTerms);
    const rare = Math.log(1 + size.size / (1 + results.length));
    for (const result of results) {
      const whole = { [Scorer.title]: 2, [Scorer.partialTitle]: 1, [Scorer.term]: 1 }[result[4]] ?? 0.4;
      const before = found.get(result[0]) ?? { result, score: 0 };
      before.score += (share(result[0]) * rare * rare * whole) / (0.6 + 0.4 * size.get(result[0]));
      found.set(result[0], before);
    }
  }
  const ordered = [...found.values()].sort((a, b) => b.score - a.score);
  const enough = ordered.filter(({ score }) => score >= ordered[0].score / 3).slice(0, 30);
  // One word may be the name of a function, which comes first then; of several words the pages do.
  const least = searchTerms.size < 2 ? 0 : 20;
  return enough.map(({ result, score }) => [...result.slice(0, 4), least + (14 * score) / ordered[0].score, ...result.slice(5)]);
};
