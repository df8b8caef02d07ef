// A question in full finds places: sections of pages, and questions of the table with their answers, each ranked by its own
// words (BM25). Pages as a whole count half as much: they know the words of code. Without this a page must hold every
// single word of a question.
const byPage = Search.performTermsSearch;

// Of each page, how many different words it has, over the mean of all.
function sizes() {
  const { terms, docnames } = Search._index, found = new Array(docnames.length).fill(0);
  for (const pages of Object.values(terms)) for (const page of [pages].flat()) found[page] += 1;
  const mean = found.reduce((a, b) => a + b, 0) / found.length;
  return new Map(docnames.map((name, k) => [name, found[k] / mean]));
}

// Pages that explain come before those that list: a function is hardly an answer.
const share = (name) => /^(reference\/(api|rankscape)|more\/changelog)/.test(name) ? 0.4 : 1;

// Scores of whole pages: how many of the words they hold, rare ones counting more, pages of very many words less.
function whole(terms, excluded) {
  const size = (Search.sizes ??= sizes()), found = new Map();
  for (const word of terms) {
    const results = byPage(new Set([word]), excluded);
    const rare = Math.log(1 + size.size / (1 + results.length));
    for (const result of results) {
      const exact = { [Scorer.title]: 2, [Scorer.partialTitle]: 1, [Scorer.term]: 1 }[result[4]] ?? 0.4;
      const before = found.get(result[0]) ?? { result, score: 0 };
      before.score += (share(result[0]) * rare * rare * exact) / (0.6 + 0.4 * size.get(result[0]));
      found.set(result[0], before);
    }
  }
  return found;
}

// How often each place says each word; what stands in its title three times.
function counted() {
  const places = Search.passages.map(([page, anchor, title, shown, head, body]) => {
    const times = new Map();
    for (const [words, weight] of [[head, 3], [body, 1]])
      for (const word of words.split(" ")) if (word) times.set(word, (times.get(word) ?? 0) + weight);
    return { page, anchor, title, shown, times, length: [...times.values()].reduce((a, b) => a + b, 0) };
  });
  const mean = places.reduce((sum, place) => sum + place.length, 0) / places.length, holding = new Map();
  for (const { times } of places) for (const word of times.keys()) holding.set(word, (holding.get(word) ?? 0) + 1);
  return { places, mean, holding };
}

// What a place is worth for one word.
function worth(word, place) {
  const { places, mean, holding } = Search.counted, times = place.times.get(word);
  if (!times) return 0;
  const rare = Math.log(1 + (places.length - holding.get(word) + 0.5) / (holding.get(word) + 0.5));
  return (rare * times * 2.2) / (times + 1.2 * (0.25 + (0.75 * place.length) / mean));
}

// Other words for the same thing.
const alike = (word) => Search.alike.filter((group) => group.includes(word)).flat().filter((other) => other !== word);

// The best place of each page, with its score; a place that says another word for the same counts for half.
function best(terms) {
  const { places } = (Search.counted ??= counted()), found = new Map();
  const asked = [...terms].map((word) => [word, alike(word).filter((other) => !terms.has(other))]);
  for (const place of places) {
    let score = 0;
    for (const [word, others] of asked)
      score += Math.max(worth(word, place), ...others.map((other) => worth(other, place) / 2));
    if (score > (found.get(place.page)?.score ?? 0)) found.set(place.page, { place, score });
  }
  return found;
}

const largest = (scores) => Math.max(1e-9, ...[...scores.values()].map(({ score }) => score));

// Without words of asking, unless there are no others.
function meant(terms) {
  const found = [...terms].filter((word) => !Search.asking.includes(word));
  return new Set(found.length ? found : terms);
}

Search.performTermsSearch = (asked, excludedTerms) => {
  const searchTerms = meant(asked), pages = whole(searchTerms, excludedTerms), places = best(searchTerms);
  const top = [largest(pages), largest(places)];
  const files = new Map(Search._index.docnames.map((name, k) => [name, Search._index.filenames[k]]));
  const ordered = [...new Set([...pages.keys(), ...places.keys()])].map((name) => {
    const page = pages.get(name), found = places.get(name);
    const score = ((page?.score ?? 0) / top[0]) * 0.5 + (found?.score ?? 0) / top[1];
    if (!found) return { score, result: page.result };
    const { title, anchor, shown } = found.place;
    return { score, result: [name, title, anchor && "#" + anchor, shown || null, 0, files.get(name), SearchResultKind.text] };
  }).sort((a, b) => b.score - a.score);
  // One word may be the name of a function, which comes first then; of several words the places do.
  const least = searchTerms.size < 2 ? 0 : 20;
  return ordered.filter(({ score }) => score >= ordered[0].score / 4).slice(0, 30)
    .map(({ result, score }) => [...result.slice(0, 4), least + (14 * score) / ordered[0].score, ...result.slice(5)]);
};
